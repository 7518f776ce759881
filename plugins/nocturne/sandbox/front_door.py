"""The front door of the local target: HAProxy in a container, on the overlay network of the Swarm service behind it.

It is no Swarm service itself: publishing a port of one needs the ingress network, and that needs IPVS in the kernel. It finds
the tasks by DNS, sends requests only to those that are ready, and answers 503 while there are none.
"""

import contextlib
import io
import tarfile
import time
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.types import LogConfig
from requests.exceptions import RequestException

from nocturne.adapters.swarm import HaproxyTraffic
from nocturne.adapters.swarm.haproxy_traffic import STATS_PORT
from nocturne.domain import digest
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Traffic

# The same file that docker-compose.yaml mounts: a door is configured by its environment.
_CONFIGURATION = Path(__file__).parents[3] / "compose" / "front-door.cfg"
_PORT = 8000
_START_SECONDS = 15
_RESTART: Any = {"Name": "unless-stopped"}  # a policy that the types of docker-py do not know
_DIGEST_LABEL = "nocturne.front-door"
_DOCKERFILE = """\
FROM {image}
COPY haproxy.cfg /haproxy.cfg
USER 65534:65534
# Process 1 finishes the requests under way on this signal.
STOPSIGNAL SIGUSR1
ENTRYPOINT ["haproxy", "-db", "-f", "/haproxy.cfg"]
"""


class FrontDoor:
    """One HAProxy container, published on the host.

    image: has `haproxy` in it. name: the container's. network: attachable overlay. service: whose tasks to send to, on app_port.
    host, port: where users come in; `127.0.0.1` is this machine only, `0.0.0.0` everybody.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        image: str,
        name: str,
        network: str,
        service: str,
        port: int,
        *,
        host: str = "127.0.0.1",
        app_port: int = 8080,
        slots: int = 16,
    ) -> None:
        self._client = client
        self._image = image
        self._name = name
        self._network = network
        self._publish = {f"{_PORT}/tcp": (host, port), f"{STATS_PORT}/tcp": ("127.0.0.1", 0)}
        self._environment = {
            "SERVICE": service,
            "APP_PORT": str(app_port),
            "SLOTS": str(slots),
            "PUBLIC_PORT": str(_PORT),
            "STATS_PORT": str(STATS_PORT),
        }
        self._traffic = HaproxyTraffic.of_container(client, name)

    def ensure(self) -> bool:
        """Start it, or replace one that is configured otherwise, and wait until it listens. False when it ran already.

        Raises Broken.
        """
        try:
            return self._ensure()
        except (DockerException, RequestException) as error:
            raise Broken(f"the front door {self._name} cannot start: {error}", advice="look at the engine's log") from error

    def remove(self) -> None:
        """Stop and remove it, with its image; nothing happens when there is none. Raises Broken."""
        try:
            self._remove()
        except (DockerException, RequestException) as error:
            raise Broken(f"the front door {self._name} cannot be removed: {error}", advice="look at the engine's log") from error

    def traffic(self) -> Traffic:
        """What users sent since the container started. Raises Broken."""
        return self._traffic()

    def _ensure(self) -> bool:
        base = self._client.images.get(self._image).id
        chosen = [self._environment, self._network, list(self._publish.items())]
        wanted = digest.of_json([base, _CONFIGURATION.read_text(), _DOCKERFILE, *chosen])
        container = self._container()
        if container is not None and container.labels.get(_DIGEST_LABEL) == wanted:
            if container.status == "running":
                return False
            container.start()
        else:
            self._remove()
            self._run(wanted)
        self._wait()
        return True

    def _wait(self) -> None:
        # The published port accepts connections, and resets them, before HAProxy listens behind it.
        for _ in range(_START_SECONDS * 10):
            try:
                self.traffic()
            except Broken:
                time.sleep(0.1)
            else:
                return
        log = self._client.containers.get(self._name).logs(tail=5).decode(errors="replace").strip()
        raise Broken(
            f"the front door {self._name} did not start in {_START_SECONDS} s: {log}", advice="see if its image has HAProxy"
        )

    def _run(self, wanted: str) -> None:
        self._client.images.build(fileobj=self._context(), custom_context=True, tag=self._tag(), rm=True, forcerm=True)
        self._client.containers.run(
            self._tag(),
            name=self._name,
            detach=True,
            labels={_DIGEST_LABEL: wanted},
            environment=self._environment,
            network=self._network,
            ports=self._publish,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            restart_policy=_RESTART,
            log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "2"}),
        )

    def _remove(self) -> None:
        container = self._container()
        if container is not None:
            container.remove(force=True)
        with contextlib.suppress(ImageNotFound):
            self._client.images.remove(self._tag(), force=True)

    def _container(self) -> Any:
        try:
            return self._client.containers.get(self._name)
        except NotFound:
            return None

    def _tag(self) -> str:
        return f"nocturne/front-door:{self._name}"

    def _context(self) -> io.BytesIO:
        # In the image, the configuration is there after any restart, with a root file system that is read only.
        files = {"Dockerfile": _DOCKERFILE.format(image=self._image), "haproxy.cfg": _CONFIGURATION.read_text()}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o644
                archive.addfile(entry, io.BytesIO(text.encode()))
        buffer.seek(0)
        return buffer
