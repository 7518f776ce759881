"""The ports, in memory: small, obvious, countable, and able to fail on demand."""

from tests.fakes.app_client import FakeAppClients
from tests.fakes.app_environment import FakeAppEnvironment
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.code_source import FakeCodeSource
from tests.fakes.file_cache import FakeFileCache
from tests.fakes.image_builder import FakeImageBuilder, FakeImageRunner
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.model_store import FakeModelStore
from tests.fakes.wheel_source import FakeWheelSource

__all__ = [
    "FakeAppClients",
    "FakeAppEnvironment",
    "FakeClock",
    "FakeCluster",
    "FakeCodeSource",
    "FakeFileCache",
    "FakeImageBuilder",
    "FakeImageRegistry",
    "FakeImageRunner",
    "FakeModelStore",
    "FakeWheelSource",
]
