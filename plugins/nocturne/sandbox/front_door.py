"""The front door of the local target: HAProxy in a container, on the overlay network of the Swarm service behind it.

It is no Swarm service itself: publishing a port of one needs the ingress network, and that needs IPVS in the kernel. It finds
the tasks by DNS, sends requests only to those that are ready, and answers 503 while there are none.
"""

import io
import tarfile
import time
from pathlib import Path
from string import Template
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.types import LogConfig
from requests.exceptions import RequestException

from nocturne.adapters.swarm import HaproxyTraffic
from nocturne.adapters.swarm.haproxy_traffic import STATS_PORT
from nocturne.domain import digest
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Traffic

_TEMPLATE = Path(__file__).with_name("haproxy.cfg")
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


def render_configuration(service: str, app_port: int, slots: int) -> str:
    """HAProxy's configuration. slots: the most tasks it can send to."""
    values = {"service": service, "app_port": app_port, "slots": slots, "port": _PORT, "stats_port": STATS_PORT}
    return Template(_TEMPLATE.read_text()).substitute(values)


def ensure_network(client: docker.DockerClient, name: str) -> None:
    """Make the attachable overlay network, unless it is there. The engine must be a swarm manager."""
    if not any(network.name == name for network in client.networks.list(names=[name])):
        client.networks.create(name, driver="overlay", attachable=True)


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
        self._configuration = render_configuration(service, app_port, slots)
        self._traffic = HaproxyTraffic(client, name)

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
        wanted = digest.of_json([base, self._configuration, _DOCKERFILE, self._network, list(self._publish.items())])
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
        if self._client.images.list(name=self._tag()):
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
        files = {"Dockerfile": _DOCKERFILE.format(image=self._image), "haproxy.cfg": self._configuration}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o644
                archive.addfile(entry, io.BytesIO(text.encode()))
        buffer.seek(0)
        return buffer
