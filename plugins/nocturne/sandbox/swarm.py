"""The engine's Swarm mode, as the sandbox needs it: on, with one network, and with the app's service up or down."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound, create_api_error_from_http_exception
from requests.exceptions import HTTPError

from nocturne.domain.errors import Broken, Conflict
from nocturne.sandbox.ownership import HOME_LABEL, is_abandoned

_START_SECONDS = 90.0
_STOP_SECONDS = 60.0


class SandboxSwarm:
    """The sandbox' service and network in a Swarm of one node. home: remembers how many tasks the service had.

    front_door: name of the container that may stand on the network, too. What a sandbox left behind whose home was deleted
    without `clean` is in nobody's way: it is removed where it is met.
    """

    def __init__(
        self, client: docker.DockerClient, home: Path, network: str, service: str, front_door: str = "", *, local: bool = True
    ) -> None:
        self._client = client
        self._home = home
        self._network = network
        self._service = service
        self._front_door = front_door
        self._local = local
        self._made = home / "run" / "swarm-made"
        self._replicas = home / "run" / "replicas"

    def ensure(self) -> str:
        """Turn Swarm mode on and make the network, unless that was done. The home of a deleted sandbox whose service and network
        were in the way and are removed, else nothing. Raises Broken, Conflict.
        """
        state = self._client.info()["Swarm"]["LocalNodeState"]
        if state == "inactive":
            self._made.parent.mkdir(parents=True, exist_ok=True)
            self._made.touch()
            # Nobody else is to join, so it listens on this machine only.
            self._init()
        elif not self._is_manager():
            raise Broken(
                f"the engine's Swarm mode is {state} and it is no manager; expected a manager, or no Swarm",
                advice="use another engine (DOCKER_HOST), or `docker swarm leave` on this one",
            )
        return self._ensure_network()

    def _init(self) -> None:
        try:
            self._client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:2377")
        except APIError:
            if not self._is_manager():  # else another sandbox was quicker
                raise

    def scale_down(self) -> bool:
        """End all tasks of the service and remember how many there were. False when there is none, or none runs.

        Raises Broken when their containers do not end.
        """
        service = self._find()
        wanted = _replicas(service)
        if service is None or wanted == 0:
            return False
        self._replicas.parent.mkdir(parents=True, exist_ok=True)
        self._replicas.write_text(json.dumps(wanted))
        self._scale(service, 0)
        self._wait_for_end()
        return True

    def restore(self) -> int | None:
        """Bring back as many tasks as there were, and wait until they run. None when there is no service.

        Raises Broken with the tasks' own words when they do not.
        """
        service = self._find()
        if service is None:
            return None
        wanted = _replicas(service)
        if wanted == 0 and self._replicas.exists():
            wanted = int(json.loads(self._replicas.read_text()))
            self._scale(service, wanted)
        deadline = time.monotonic() + _START_SECONDS
        while (running := self._running(service)) < wanted:
            if time.monotonic() > deadline:
                raise Broken(f"{running} of {wanted} tasks of {self._service} run: {_words(service)}", advice="look at its logs")
            time.sleep(0.3)
        return wanted

    def running(self) -> tuple[int, int] | None:
        """How many tasks run, of how many; None when there is no service."""
        service = self._find()
        return (self._running(service), _replicas(service)) if service is not None else None

    def remove(self) -> None:
        """Remove service and network, and Swarm mode itself when the sandbox turned it on and nobody else uses it."""
        if any(map(self._is_abandoned, self._networks())):
            self._remove_front_door()
        self._remove_service()
        if self._client.info()["Swarm"]["LocalNodeState"] != "active":
            return
        self._remove_network()
        if self._made.exists() and not self._client.services.list() and not self._other_networks():
            self._client.swarm.leave(force=True)

    def _is_manager(self) -> bool:
        return bool(self._client.info()["Swarm"].get("ControlAvailable"))

    def _remove_service(self) -> None:
        service = self._find(or_abandoned=True)
        if service is not None:
            service.remove()
        if any(map(self._is_free, self._networks())):
            # Only then can its images and its network be removed.
            self._wait_for_end(removed=True)

    def _remove_front_door(self) -> None:
        if self._front_door:
            with contextlib.suppress(NotFound):
                self._client.containers.get(self._front_door).remove(force=True)

    def _ensure_network(self) -> str:
        found, left_by = self._networks(), ""
        if found and not self._is_ours(found[0]):
            left_by = _owner(found[0])
            if not self._is_abandoned(found[0]):
                raise Conflict(
                    f"the Docker network {self._network} belongs to {left_by or 'nobody that it names'}, expected {self._home}",
                    advice="set NOCTURNE_NAME to another name for this sandbox, or `make clean` the other one",
                )
            self._remove_front_door()
            self._remove_service()
            self._remove_network()
            found = []
        if not found:
            labels = {HOME_LABEL: str(self._home)}
            self._client.networks.create(self._network, driver="overlay", attachable=True, labels=labels)
        return left_by

    def _networks(self) -> list[Any]:
        return [network for network in self._client.networks.list(names=[self._network]) if network.name == self._network]

    def _is_ours(self, network: Any) -> bool:
        return _owner(network) == str(self._home)

    def _is_abandoned(self, network: Any) -> bool:
        # Of an engine elsewhere nobody here knows which homes there are.
        return self._local and is_abandoned(_owner(network), self._home)

    def _is_free(self, network: Any) -> bool:
        return self._is_ours(network) or self._is_abandoned(network)

    def _other_networks(self) -> list[str]:
        overlays = self._client.networks.list(filters={"driver": "overlay"})
        return [str(network.name) for network in overlays if network.name not in ("ingress", self._network)]

    def _remove_network(self) -> None:
        # Tasks that are on their way out hold on to their network for a moment, and a node to its copy of it.
        deadline = time.monotonic() + 30
        for network in filter(self._is_free, self._networks()):
            while any(found.id == network.id for found in self._networks()):
                try:
                    network.remove()
                except NotFound:
                    reason = "it is still listed"
                except APIError as error:
                    reason = str(error.explanation)
                else:
                    continue
                if time.monotonic() > deadline:
                    raise Broken(f"the network {self._network} cannot be removed: {reason}", advice="look at `docker network ls`")
                time.sleep(0.3)

    def _wait_for_end(self, *, removed: bool = False) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        label = f"com.docker.swarm.service.name={self._service}"
        # The plain list: the richer one asks about each container again, and fails when it has gone meanwhile.
        while found := self._client.api.containers(all=removed, filters={"label": label}):
            if time.monotonic() > deadline:
                raise Broken(f"containers of {self._service} still run after {_STOP_SECONDS:.0f} s", advice="look at `docker ps`")
            self._remove_ended(found)
            time.sleep(0.2)

    def _remove_ended(self, containers: list[dict[str, Any]]) -> None:
        # Swarm removes them itself, but for those that it forgot: of an engine that was killed while they ran.
        for container in containers:
            if container["State"] == "exited":
                with contextlib.suppress(APIError):
                    self._client.api.remove_container(container["Id"])

    def _find(self, *, or_abandoned: bool = False) -> Any:
        # The service stands on the network, so the network's label tells whose it is.
        mine = self._is_free if or_abandoned else self._is_ours
        if not self._is_manager() or not any(map(mine, self._networks())):
            return None
        try:
            return self._client.services.get(self._service)  # type: ignore[no-untyped-call]
        except NotFound:
            return None

    def _scale(self, service: Any, wanted: int) -> None:
        # Everything but the number stays as the release set it; docker-py's own `scale` would write all defaults into it.
        spec = {**service.attrs["Spec"], "Mode": {"Replicated": {"Replicas": wanted}}}
        api = self._client.api
        address = f"{api.base_url}/v{api.api_version}/services/{service.id}/update"
        answer = api.post(address, json=spec, params={"version": service.version}, timeout=api.timeout)
        try:
            answer.raise_for_status()
        except HTTPError as error:
            create_api_error_from_http_exception(error)

    def _running(self, service: Any) -> int:
        tasks = service.tasks(filters={"desired-state": "running"})
        return sum(task["Status"]["State"] == "running" for task in tasks)


def _owner(network: Any) -> str:
    return str((network.attrs.get("Labels") or {}).get(HOME_LABEL, ""))


def _replicas(service: Any) -> int:
    if service is None:
        return 0
    return int(service.attrs["Spec"]["Mode"].get("Replicated", {}).get("Replicas", 0))


def _words(service: Any) -> str:
    states = {task["Status"].get("Err") or task["Status"]["State"] for task in service.tasks()}
    return "; ".join(sorted(states)) or "no tasks"
