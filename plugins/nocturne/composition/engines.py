"""Docker Engines, from connections."""

from typing import TYPE_CHECKING

from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    import docker


def docker_client(connection: Connection) -> "docker.DockerClient":
    """A client of the engine at the connection's host. Raises ConfigurationError, Broken."""
    import docker

    if not connection.host:
        raise ConfigurationError(
            f"the connection {connection.id}", ["host: found nothing, expected the address of a Docker Engine"]
        )
    try:
        return docker.DockerClient(base_url=connection.host, timeout=120)
    except docker.errors.DockerException as error:
        raise Broken(
            f"no Docker Engine answers at {connection.host}: {error}", advice="start it, or correct the connection"
        ) from error


def trial_network(connection: Connection) -> str:
    """The Docker network on which trials are reached, empty for 127.0.0.1. Raises ConfigurationError."""
    value = connection.extra.get("trial_network") or ""
    if isinstance(value, str):
        return value
    raise ConfigurationError(
        f"the connection {connection.id}", [f"extra.trial_network: found {type(value).__name__}, expected a Docker network's name"]
    )
