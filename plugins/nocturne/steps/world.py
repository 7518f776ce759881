"""What a step gets: everything outside behind its port, and what is known of the run it belongs to."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from nocturne.domain.configuration import Configuration
from nocturne.ports.app_client import AppClient, AppClients
from nocturne.ports.app_environment import AppEnvironment
from nocturne.ports.clock import Clock
from nocturne.ports.cluster import Cluster
from nocturne.ports.code_source import CodeSource
from nocturne.ports.file_cache import FileCache
from nocturne.ports.image_builder import ImageBuilder, ImageRunner
from nocturne.ports.image_registry import ImageRegistry
from nocturne.ports.ledger import Ledger
from nocturne.ports.model_inspector import ModelInspector
from nocturne.ports.model_signatures import ModelSignatures
from nocturne.ports.model_store import ModelStore
from nocturne.ports.wheel_source import WheelSource

Log = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One run of the night or of a rollback. id: unique over all runs. requested_by: a user's name, or `schedule`."""

    id: str
    environment: str
    requested_by: str
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a step ended well. skipped: it had nothing to do, and the message says what it relies on instead."""

    message: str
    skipped: bool = False


class World(ABC):
    """The ports, each opened when it is first asked for, so that a worker needs only what its step uses."""

    configuration: Configuration
    clock: Clock
    ledger: Ledger
    code: CodeSource
    models: ModelStore
    signatures: ModelSignatures
    inspector: ModelInspector
    registry: ImageRegistry
    builder: ImageBuilder
    runner: ImageRunner
    wheels: WheelSource
    environment: AppEnvironment
    clients: AppClients
    cache: FileCache
    log: Log

    @abstractmethod
    def at(self, commit: str) -> "World":
        """The same world, but with the configuration that stands in the app's folder at a commit."""

    @abstractmethod
    def cluster(self, environment: str) -> Cluster:
        """Where an environment of the configuration runs."""

    @abstractmethod
    def samples(self, environment: str) -> AppClient | None:
        """Asks the live app of an environment for the requests that it keeps; None where nothing says that we may.

        Raises Broken where the environment has no address yet.
        """
