"""Where every adapter is chosen, from `release.toml` and the connections it names.

Adapters are imported where they are made: a task that only asks the ledger need not wait for Docker's client to load.
"""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.configuration import FILE, Configuration, parse_configuration
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.ports.app_client import AppClients
from nocturne.ports.app_environment import AppEnvironment
from nocturne.ports.cluster import Cluster
from nocturne.ports.code_source import CodeSource
from nocturne.ports.connections import Connection, Connections
from nocturne.ports.file_cache import FileCache
from nocturne.ports.image_builder import ImageBuilder, ImageRunner
from nocturne.ports.image_registry import ImageRegistry
from nocturne.ports.ledger import Ledger
from nocturne.ports.model_store import ModelStore
from nocturne.ports.wheel_source import WheelSource
from nocturne.steps.world import Log, World

if TYPE_CHECKING:
    import docker


def cache_folder() -> Path:
    """Where this machine keeps what it can fetch again: NOCTURNE_CACHE, else below NOCTURNE_HOME, else in the user's cache."""
    if chosen := os.environ.get("NOCTURNE_CACHE"):
        return Path(chosen)
    if home := os.environ.get("NOCTURNE_HOME"):
        return Path(home) / "cache"
    return Path.home() / ".cache" / "nocturne"


def deployed_configuration() -> Configuration:
    """The `release.toml` in the app's folder beside `plugins/`, or the file that NOCTURNE_RELEASE_FILE names.

    A run reads it only to learn where the code is; everything else comes from the file as it stands at the frozen commit.
    """
    path = Path(os.environ.get("NOCTURNE_RELEASE_FILE") or Path(__file__).parents[2] / "app" / FILE)
    try:
        return parse_configuration(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(str(path), [f"cannot be read: {error.strerror}"]) from error


class ConnectedWorld(World):
    """The real world. Everything is opened when it is first used."""

    def __init__(self, configuration: Configuration, connections: Connections, log: Log) -> None:
        self.configuration = configuration
        self.log = log
        self.clock = SystemClock()
        self._connections = connections
        self._clusters: dict[str, Cluster] = {}

    def at(self, commit: str) -> "ConnectedWorld":
        """See World."""
        content = self.code.read(commit, FILE)
        configuration = parse_configuration(content, f"{self.configuration.code.folder}/{FILE} at {commit[:12]}")
        return self if configuration == self.configuration else ConnectedWorld(configuration, self._connections, self.log)

    @cached_property
    def ledger(self) -> Ledger:  # type: ignore[override]  # a property that is made once, in place of an attribute
        """SQLite, or PostgreSQL: the connection's `extra.url`."""
        from nocturne.adapters.sql_ledger import SqlLedger

        return SqlLedger.open(self._connections(self.configuration.ledger).required("url"), self.clock)

    @cached_property
    def code(self) -> CodeSource:  # type: ignore[override]
        """Git: the connection's host is the repository's URL or path."""
        from nocturne.adapters.git import GitCodeSource

        settings = self.configuration.code
        return GitCodeSource(self._connections(settings.connection).host, settings.folder, cache_folder())

    @cached_property
    def models(self) -> ModelStore:  # type: ignore[override]
        """An object store: a `wasb` connection with `extra.container`."""
        from nocturne.adapters.object_store import ObjectModelStore, connect

        settings = self.configuration.model
        return ObjectModelStore(connect(store_settings(self._connections(settings.connection))), settings.name)

    @cached_property
    def registry(self) -> ImageRegistry:  # type: ignore[override]
        """An OCI registry: a `docker` connection."""
        from nocturne.adapters.oci_registry import Credentials, OciRegistry

        connection = self._connections(self.configuration.image.registry)
        url, host = registry_address(connection)
        credentials = Credentials(connection.login, connection.password) if connection.login else None
        return OciRegistry(url, host, credentials)

    @cached_property
    def _engine(self) -> Any:
        from nocturne.adapters.docker_engine import DockerEngine

        connection = self._connections(self.configuration.image.registry)
        _, host = registry_address(connection)
        logins = {host: {"username": connection.login, "password": connection.password}} if connection.login else {}
        return DockerEngine(_docker(self._connections(self.configuration.image.engine)), logins)

    @property
    def builder(self) -> ImageBuilder:  # type: ignore[override]
        """Docker Engine: the connection's host is its address."""
        engine: ImageBuilder = self._engine
        return engine

    @property
    def runner(self) -> ImageRunner:  # type: ignore[override]
        """The same engine."""
        engine: ImageRunner = self._engine
        return engine

    def engine_version(self) -> str:
        """Which engine answers; for `nocturne doctor`. Raises Broken."""
        connection = self._connections(self.configuration.image.engine)
        found = _docker(connection).version()
        return f"Docker Engine {found['Version']} at {connection.host}"

    @cached_property
    def wheels(self) -> WheelSource:  # type: ignore[override]
        """pip's index, as pip itself is configured on this machine."""
        from nocturne.adapters.wheels import PipWheelSource

        return PipWheelSource(cache_folder() / "wheels")

    @cached_property
    def environment(self) -> AppEnvironment:  # type: ignore[override]
        """uv."""
        from nocturne.adapters.uv_environment import UvEnvironment

        return UvEnvironment(cache_folder() / "environments")

    @cached_property
    def clients(self) -> AppClients:  # type: ignore[override]
        """HTTP."""
        from nocturne.adapters.http_app import HttpAppClients

        return HttpAppClients()

    @cached_property
    def cache(self) -> FileCache:  # type: ignore[override]
        """Files on this machine."""
        from nocturne.adapters.file_cache import LocalFileCache

        return LocalFileCache(cache_folder() / "files")

    def cluster(self, environment: str) -> Cluster:
        """See World."""
        if environment not in self._clusters:
            settings = self.configuration.environment(environment)
            make, registry = _TARGETS[settings.target], self._connections(self.configuration.image.registry)
            self._clusters[environment] = make(self._connections(settings.connection), registry)
        return self._clusters[environment]


def store_settings(connection: Connection) -> Any:
    """What a `wasb` connection says of a container: login is the account, password its key; or `extra.sas_token`, or
    `extra.connection_string`. Source: the provider's own form,
    https://airflow.apache.org/docs/apache-airflow-providers-microsoft-azure/stable/connections/wasb.html
    """
    from nocturne.adapters.object_store.settings import StoreSettings, from_connection_string

    extra, container = connection.extra, connection.required("container")
    if text := extra.get("connection_string"):
        return from_connection_string(text, container)
    host = connection.host if "://" in connection.host or not connection.host else f"https://{connection.host}"
    return StoreSettings(
        kind="azure",
        container=container,
        account=connection.login,
        account_key=connection.password if not extra.get("sas_token") else "",
        sas_token=extra.get("sas_token", ""),
        endpoint=host,
    ).check()


def registry_address(connection: Connection) -> tuple[str, str]:
    """The base URL of a registry's API, and what stands before the repository in its references.

    A host without a scheme is https, but for this machine's own: container engines speak http to it too.
    """
    scheme, _, host = connection.host.rpartition("://")
    host = host.strip("/") + (f":{connection.port}" if connection.port else "")
    local = host.split(":")[0] in ("localhost", "127.0.0.1")
    return f"{scheme or ('http' if local else 'https')}://{host}", host


def _docker(connection: Connection) -> "docker.DockerClient":
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


def _swarm(connection: Connection, registry: Connection) -> Cluster:
    from nocturne.adapters.swarm import HaproxyTraffic, RegistryCredentials, SwarmCluster

    client = _docker(connection)
    front_door = connection.extra.get("front_door")
    _, host = registry_address(registry)
    return SwarmCluster(
        client,
        service=connection.required("service"),
        network=connection.required("network"),
        public_url=connection.required("public_url"),
        traffic_source=HaproxyTraffic(client, front_door) if front_door else None,
        credentials=RegistryCredentials(host, registry.login, registry.password) if registry.login else None,
    )


_TARGETS: dict[str, Callable[[Connection, Connection], Cluster]] = {"swarm": _swarm}
"""Each is made from the environment's connection and the registry's.

A target is added here, and its name to the choices in domain/configuration.py.
"""
