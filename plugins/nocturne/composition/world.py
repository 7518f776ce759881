"""The world, as the connections tell of it."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from nocturne.adapters.system_clock import SystemClock
from nocturne.composition.blob_digests import LedgerBlobDigests
from nocturne.composition.deployed import cache_folder, cache_limit
from nocturne.composition.engines import docker_client, trial_network
from nocturne.composition.registries import engine_logins, registry_address, registry_credentials
from nocturne.composition.samples import samples_client
from nocturne.composition.stores import store_settings
from nocturne.composition.targets import Target, make_cluster
from nocturne.domain.configuration import FILE, Configuration
from nocturne.domain.errors import ConfigurationError
from nocturne.domain.release_toml import parse_configuration
from nocturne.ports.app_client import AppClient, AppClients
from nocturne.ports.app_environment import AppEnvironment
from nocturne.ports.cluster import Cluster
from nocturne.ports.code_source import CodeSource
from nocturne.ports.connections import Connections
from nocturne.ports.file_cache import FileCache
from nocturne.ports.image_builder import ImageBuilder, ImageRunner
from nocturne.ports.image_registry import ImageRegistry
from nocturne.ports.ledger import Ledger
from nocturne.ports.model_inspector import ModelInspector
from nocturne.ports.model_signatures import ModelSignatures
from nocturne.ports.model_store import ModelStore
from nocturne.ports.wheel_source import WheelSource
from nocturne.steps.world import Log, World

if TYPE_CHECKING:
    from nocturne.adapters.oci_registry import Credentials, CredentialsNow


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
        """An object store: a `wasb`, `aws` or `fs` connection."""
        from nocturne.adapters.object_store import connect
        from nocturne.adapters.object_store.model_store import open_models

        settings = self.configuration.model
        digests = LedgerBlobDigests(lambda: self.ledger, self.clock, settings.connection)
        return open_models(connect(store_settings(self._connections(settings.connection))), settings, digests)

    @cached_property
    def signatures(self) -> ModelSignatures:  # type: ignore[override]
        """OpenSSF model signing."""
        from nocturne.adapters.model_signing import OpenSsfSignatures

        return OpenSsfSignatures()

    @cached_property
    def inspector(self) -> ModelInspector:  # type: ignore[override]
        """A process of its own on this machine."""
        from nocturne.adapters.onnx_inspector import OnnxInspector

        return OnnxInspector()

    @cached_property
    def registry(self) -> ImageRegistry:  # type: ignore[override]
        """An OCI registry: a `docker` connection, or ACR with an `azure` one."""
        from nocturne.adapters.oci_registry import OciRegistry

        url, host = registry_address(self._connections(self.configuration.image.registry))
        return OciRegistry(url, host, self._registry_credentials)

    @cached_property
    def _registry_credentials(self) -> "Credentials | CredentialsNow | None":
        # One for both of their users: signing in to Azure takes two requests.
        return registry_credentials(self._connections(self.configuration.image.registry))

    @cached_property
    def _engine(self) -> Any:
        from nocturne.adapters.docker_engine import DockerEngine

        logins = engine_logins(self._connections(self.configuration.image.registry), self._registry_credentials)
        connection = self._connections(self.configuration.image.engine)
        return DockerEngine(docker_client(connection), logins, trial_network=trial_network(connection))

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
        found = docker_client(connection).version()
        return f"Docker Engine {found['Version']} at {connection.host}"

    def copy_image(self, source: str, reference: str) -> str:
        """Push an image of any registry, or of the engine's own, into ours as `repository:tag`; the pushed image by digest.

        For what a first night needs; nights themselves start from what is in the registry. Raises Broken.
        """
        copied: str = self._engine.copy(source, self.registry.full(reference), self.log)
        return copied

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
        """Files on this machine, up to a limit."""
        from nocturne.adapters.file_cache import LocalFileCache

        return LocalFileCache(cache_folder() / "files", cache_limit())

    def cluster(self, environment: str) -> Cluster:
        """See World."""
        if environment not in self._clusters:
            settings = self.configuration.environment(environment)
            connection, registry = self._connections(settings.connection), self._connections(self.configuration.image.registry)
            self._clusters[environment] = make_cluster(Target(self.configuration, settings, connection, registry, self.log))
        return self._clusters[environment]

    def samples(self, environment: str) -> AppClient | None:
        """Through the public address, with the token in the environment's connection."""
        connection = self._connections(self.configuration.environment(environment).connection)
        return samples_client(connection, lambda: self.cluster(environment).public_url())

    def connected(self, environment: str) -> bool:
        """Whether this installation has a connection for an environment: one `release.toml` may serve several."""
        wanted = self.configuration.environment(environment).connection
        try:
            self._connections(wanted)
        except ConfigurationError:
            return False
        return True
