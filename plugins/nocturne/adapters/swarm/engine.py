"""The calls to Docker Engine that the adapter needs, with its errors told apart.

Creating and updating a service go to the Engine API directly: docker-py's own methods take the registry credentials from the
client's global state, and put a specification together from parts that we have whole.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import docker
from docker.errors import APIError, DockerException, NotFound, create_api_error_from_http_exception
from requests.exceptions import HTTPError, RequestException

from nocturne.domain.errors import Broken, Conflict, Rejected

T = TypeVar("T")


@dataclass(frozen=True)
class RegistryCredentials:
    """What the nodes use to pull the image. registry: its host and port."""

    registry: str
    username: str
    password: str = field(repr=False)


class Engine:
    """One Docker Engine that is a manager of a swarm."""

    def __init__(self, client: docker.DockerClient, credentials: RegistryCredentials | None) -> None:
        # Half of docker-py's low-level client has no types.
        self._api: Any = client.api
        self._credentials = credentials

    def service(self, name: str) -> dict[str, Any] | None:
        """A service as the engine describes it, None when there is none. Raises Broken."""
        return self._ask(lambda: self._find(name))

    def tasks(self, service_id: str) -> list[dict[str, Any]]:
        """The tasks of a service, those of its recent past too. Raises Broken."""
        return self._ask(lambda: list(self._api.tasks(filters={"service": service_id})))

    def container(self, container_id: str) -> dict[str, Any] | None:
        """A container on this node, None when it is elsewhere or gone. Raises Broken."""
        return self._ask(lambda: _or_none(lambda: self._api.inspect_container(container_id)))

    def last_lines(self, container_id: str, count: int) -> list[str]:
        """The last lines that a container on this node wrote. Raises Broken."""
        raw = self._ask(lambda: _or_none(lambda: self._api.logs(container_id, tail=count)))
        return (raw or b"").decode(errors="replace").splitlines()

    def create(self, spec: dict[str, Any]) -> None:
        """Create a service. Raises Conflict when its name is taken, Rejected when the engine refuses it, Broken."""
        self._post("/services/create", spec, {})

    def update(self, service: dict[str, Any], spec: dict[str, Any]) -> None:
        """Update the service as it was read. Raises Conflict when it changed since, Rejected when refused, Broken."""
        self._post(f"/services/{service['ID']}/update", spec, {"version": service["Version"]["Index"]})

    def remove(self, service_id: str) -> None:
        """Remove a service; nothing happens when there is none. Raises Broken."""
        self._ask(lambda: _or_none(lambda: self._api.remove_service(service_id)))

    def _find(self, name: str) -> dict[str, Any] | None:
        # Asked for directly, a service is also found by a prefix of its id.
        named = self._api.services(filters={"name": name})
        return next((dict(service) for service in named if service["Spec"]["Name"] == name), None)

    def _post(self, path: str, body: dict[str, Any], parameters: dict[str, Any]) -> None:
        url = f"{self._api.base_url}/v{self._api.api_version}{path}"

        def send() -> None:
            answer = self._api.post(url, json=body, params=parameters, headers=self._headers(), timeout=self._api.timeout)
            try:
                answer.raise_for_status()
            except HTTPError as error:
                create_api_error_from_http_exception(error)

        self._ask(send)

    def _headers(self) -> dict[str, str]:
        given = self._credentials
        if given is None:
            return {}
        login = {"username": given.username, "password": given.password, "serveraddress": given.registry}
        return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(login).encode()).decode()}

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except APIError as error:
            raise _translated(error) from error
        except (DockerException, RequestException) as error:
            raise Broken(
                f"found no answer from Docker Engine ({error}), expected one",
                advice="start the engine, or correct its address in the environment's connection",
            ) from error


def _translated(error: APIError) -> Broken | Conflict | Rejected:
    text = str(error.explanation or error)
    if error.status_code == 409 or "update out of sequence" in text:
        return Conflict(f"the service changed while it was looked at: {text}")
    if error.status_code == 400:
        return Rejected(f"Docker Engine refused the service: {text}", advice="correct the app's compose.yaml")
    if error.status_code == 404 and "network" in text:
        return Broken(f"found no such network ({text})", advice="make it: docker network create --driver overlay --attachable NAME")
    if "not a swarm manager" in text:
        return Broken("found an engine that is no swarm manager, expected one", advice="run `docker swarm init` on it")
    return Broken(f"Docker Engine answered {error.status_code}: {text}", advice="look at the engine's log")


def _or_none(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except NotFound:
        return None
