"""Services and tasks as Docker Engine describes them, and an engine that has them."""

from typing import Any

from nocturne.adapters.swarm.engine import Engine
from nocturne.adapters.swarm.labels import ATTEMPT, NEXT, RELEASE
from nocturne.ports.cluster import DesiredState

DESIRED = DesiredState("r-new", "registry:5000/app@sha256:" + "1" * 64, {}, {"run": "night-7"})
MINE, OLD = "r-new/night-7", "r-old/night-6"


def service(
    release: str = "r-new", attempt: str = MINE, image: str = DESIRED.image, update: str = "", follows: str = "", replicas: int = 2
) -> dict[str, Any]:
    """A service. update: the state of its update; follows: the attempt that was announced to it."""
    labels = {RELEASE: release, ATTEMPT: attempt, **({NEXT: follows} if follows else {})}
    container = {"Image": image, "Labels": {RELEASE: release, ATTEMPT: attempt}}
    spec = {"Labels": labels, "TaskTemplate": {"ContainerSpec": container}, "Mode": {"Replicated": {"Replicas": replicas}}}
    status = {"UpdateStatus": {"State": update, "Message": "manually requested rollback"}} if update else {}
    return {"ID": "service-1", "Spec": spec, "Version": {"Index": 7}, **status}


def task(state: str, attempt: str = MINE, second: int = 0, error: str = "", container: str = "", code: int = 0) -> dict[str, Any]:
    """A task, that came into its state at a second of an hour."""
    status: dict[str, Any] = {"State": state, "Timestamp": f"2026-11-20T02:{second // 60:02}:{second % 60:02}.123456789Z"}
    status |= {"Message": "finished" if state == "complete" else state}
    if error:
        status["Err"] = error
    if container:
        status["ContainerStatus"] = {"ContainerID": container, "ExitCode": code}
    return {"ID": f"task-{second}", "Spec": {"ContainerSpec": {"Labels": {ATTEMPT: attempt}}}, "Status": status}


class FakeEngine(Engine):
    """An engine with containers that can be looked at, by id: what inspecting gives, and their log."""

    def __init__(self, containers: dict[str, tuple[dict[str, Any], list[str]]]) -> None:
        self._containers = containers

    def container(self, container_id: str) -> dict[str, Any] | None:
        return self._containers[container_id][0] if container_id in self._containers else None

    def last_lines(self, container_id: str, count: int) -> list[str]:
        return self._containers[container_id][1][-count:] if container_id in self._containers else []
