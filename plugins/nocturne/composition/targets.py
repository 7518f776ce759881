"""What an environment ships to, from its connection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nocturne.composition.engines import docker_client
from nocturne.composition.registries import registry_address
from nocturne.domain.configuration import Configuration, Environment
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.cluster import Cluster
from nocturne.ports.connections import Connection
from nocturne.steps.world import Log

if TYPE_CHECKING:
    import docker

    from nocturne.adapters.swarm import HaproxyTraffic


@dataclass(frozen=True)
class Target:
    """One environment with all that a cluster is made from. connection: the environment's. registry: the images'."""

    configuration: Configuration
    environment: Environment
    connection: Connection
    registry: Connection
    log: Log


def make_cluster(target: Target) -> Cluster:
    """The adapter for the environment's target. Raises ConfigurationError, Broken."""
    return _TARGETS[target.environment.target](target)


def _swarm(target: Target) -> Cluster:
    from nocturne.adapters.swarm import RegistryCredentials, SwarmCluster

    connection, registry = target.connection, target.registry
    client = docker_client(connection)
    _, host = registry_address(registry)
    return SwarmCluster(
        client,
        service=connection.required("service"),
        network=connection.required("network"),
        public_url=connection.required("public_url"),
        traffic_source=_front_door(client, connection),
        credentials=RegistryCredentials(host, registry.login, registry.password) if registry.login else None,
    )


def _front_door(client: "docker.DockerClient", connection: Connection) -> "HaproxyTraffic | None":
    """Who counts the users' requests: HAProxy by the URL of its statistics, or by its container; nobody where neither is said."""
    from nocturne.adapters.swarm import HaproxyTraffic

    url, container = (connection.extra.get(name) for name in ("front_door_stats", "front_door"))
    if url and container:
        fault = "extra.front_door and extra.front_door_stats: found both, expected one of them"
        raise ConfigurationError(f"the connection {connection.id}", [fault])
    if url:
        return HaproxyTraffic.at(connection.required("front_door_stats"))
    return HaproxyTraffic.of_container(client, connection.required("front_door")) if container else None


def _kubernetes(target: Target) -> Cluster:
    from nocturne.adapters.kubernetes import KubernetesCluster
    from nocturne.composition.kubernetes_access import access, label, place, pull_secret

    configuration, environment = target.configuration, target.environment
    where = place(target.connection)
    return KubernetesCluster(
        access(target.connection),
        label(configuration.name, environment.name),
        configuration.image.repository,
        where.namespace,
        environment.strategy,
        environment.drift,
        port=configuration.image.port,
        registry=registry_address(target.registry)[1],
        public_url=where.public_url,
        node_address=where.node_address,
        pull_secret=pull_secret(where, target.registry),
        log=target.log,
    )


_TARGETS: dict[str, Callable[[Target], Cluster]] = {"kubernetes": _kubernetes, "swarm": _swarm}
"""A target is added here, and its name to the choices in domain/configuration.py."""
