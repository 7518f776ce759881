"""Running an image for a short time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from nocturne.adapters.docker_engine.failures import engine_failures
from nocturne.adapters.docker_engine.progress import plain
from nocturne.domain.errors import Broken, Rejected
from nocturne.ports.image_builder import Log, RunningImage

LABEL = "nocturne.trial"
_LOCAL = "127.0.0.1"
_NETWORK_ADVICE = "make that network, or correct extra.trial_network of the engine's connection"


@dataclass(frozen=True)
class TrialLimits:
    """What a container under trial may use. memory: bytes. processes: threads count. writable: paths that are held in memory."""

    memory: int = 2 << 30
    processes: int = 512
    writable: tuple[str, ...] = ("/tmp",)


class Trials:
    """Starts and removes containers under trial.

    network: a Docker network whose members reach the container; without one it is published on 127.0.0.1 of the engine's machine.
    """

    def __init__(self, client: docker.DockerClient, limits: TrialLimits, network: str = "") -> None:
        self._client = client
        self._limits = limits
        self._network = network

    @contextmanager
    def run(self, image: str, port: int, name: str, log: Log) -> Iterator[RunningImage]:
        """A container of a pulled image, removed at the end."""
        self._remove_leftover(name, log)
        container = self._create(image, port, name)
        try:
            _start(container, image)
            yield RunningImage(self._url(container, port), lambda: _logs(container), lambda: _exit_code(container))
        finally:
            _remove(container)

    def _remove_leftover(self, name: str, log: Log) -> None:
        with engine_failures(f"look for a container called {name}"):
            try:
                leftover = self._client.containers.get(name)
            except NotFound:
                return
        if leftover.labels.get(LABEL) != "1":
            raise Broken(
                f"a container called {name} exists that no trial has left behind (no label {LABEL}=1)",
                advice=f"look what it is, then rename or remove it: docker inspect {name}",
            )
        log(f"removing the container {name}, left behind by an earlier try")
        _remove(leftover)

    def _create(self, image: str, port: int, name: str) -> Container:
        with engine_failures(f"create the container {name}"):
            return self._client.containers.create(
                image,
                name=name,
                labels={LABEL: "1"},
                read_only=True,
                tmpfs=dict.fromkeys(self._limits.writable, "size=64m,noexec,nosuid,nodev"),
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                mem_limit=self._limits.memory,
                pids_limit=self._limits.processes,
                **self._place(port),
            )

    def _place(self, port: int) -> dict[str, Any]:
        # On a network nothing is published: another container's 127.0.0.1 is not the engine's, and the members are enough.
        return {"network": self._network} if self._network else {"ports": {f"{port}/tcp": (_LOCAL, 0)}}

    def _url(self, container: Container, port: int) -> str:
        """Where the container answers. Port 0, which refuses everybody, when it has ended already."""
        with engine_failures("look where the container listens"):
            container.reload()
        if not self._network:
            bindings = container.ports.get(f"{port}/tcp") or [{"HostPort": "0"}]
            return f"http://{_LOCAL}:{bindings[0]['HostPort']}"
        # By its address, which means this very container even where the name is still known for an earlier one.
        joined = container.attrs["NetworkSettings"]["Networks"].get(self._network) or {}
        address = joined.get("IPAddress")
        return f"http://{address}:{port}" if address else f"http://{_LOCAL}:0"


def _start(container: Container, image: str) -> None:
    with engine_failures(f"start {image}"):
        try:
            container.start()
        except APIError as error:
            # 400: its entry point is missing or may not be executed; anything else is the engine's trouble.
            if error.status_code == 400:
                raise Rejected(f"{image} cannot be started: {error.explanation}", advice="correct the app's Dockerfile") from error
            if re.search(r"network \S+ not found", str(error.explanation)):
                raise Broken(f"{image} cannot be started: {error.explanation}", advice=_NETWORK_ADVICE) from error
            raise


def _logs(container: Container) -> Iterator[str]:
    with engine_failures("read the container's output"):
        output = container.logs()
    yield from map(plain, output.decode(errors="replace").splitlines())


def _exit_code(container: Container) -> int | None:
    with engine_failures("look at the container"):
        container.reload()
    state = container.attrs["State"]
    return None if state["Running"] or state["Status"] == "created" else int(state["ExitCode"])


def _remove(container: Container) -> None:
    with engine_failures(f"remove the container {container.name}"):
        try:
            container.remove(force=True, v=True)
        except NotFound:
            return  # somebody was faster
