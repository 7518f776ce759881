"""How an app wants to be released: what its `release.toml` says. `release_toml` reads it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nocturne.domain.errors import ConfigurationError
from nocturne.domain.strategy import Drift, Strategy, StrategyKind

FILE = "release.toml"

_AROUND_LEASE_SECONDS = 15 * 60


@dataclass(frozen=True)
class Night:
    """When the night runs, and where it ships to."""

    cron: str
    timezone: str
    environment: str


@dataclass(frozen=True)
class Code:
    """Where the app's code is. ref: branch, tag or commit that a run freezes unless it is told another; folder: the app's."""

    connection: str
    ref: str
    folder: str


@dataclass(frozen=True)
class Bare:
    """A model that is overwritten in place, without manifest or card. model, labels: files in the model's folder; labels has one a
    line. input, output: the card's own tables, as the app reads them.
    """

    model: str
    labels: str
    input: dict[str, Any]
    output: dict[str, Any]


class Layout(StrEnum):
    """How a store is laid out: versions in folders with manifests, or one set of files that is overwritten in place."""

    PUBLISHED = "published"
    BARE = "bare"


class Latest(StrEnum):
    """Which version a night takes: the pointer's, the youngest, the highest by semantic versioning, or always the same one."""

    POINTER = "pointer"
    NEWEST = "newest"
    HIGHEST = "highest"
    PINNED = "pinned"


@dataclass(frozen=True)
class Model:
    """Where the models are. name: the folder of this model in the store.

    version: the one that `latest = "pinned"` names. bare: for that layout only. formats: which suffixes the card's model file may
    have. max_bytes: of all files together. inspect_seconds, inspect_memory_bytes: what a look into the file may use.
    """

    connection: str
    name: str
    layout: Layout
    latest: Latest
    version: str
    bare: Bare | None
    formats: tuple[str, ...]
    max_bytes: int
    inspect_seconds: int
    inspect_memory_bytes: int


@dataclass(frozen=True)
class Image:
    """What images are made of and where they go.

    registry, engine: Airflow connections. base: `repository:tag` in the same registry. python, platform, glibc: what the
    base image has, so that the right wheels are fetched for it. port: where the app listens in its container.
    """

    registry: str
    engine: str
    repository: str
    base: str
    python: str
    platform: str
    glibc: str
    port: int


@dataclass(frozen=True)
class Tests:
    """How the app is tested, in its own environment, from its own folder."""

    command: tuple[str, ...]
    timeout_seconds: int


class OnUnclear(StrEnum):
    """What to do with a model that is worse than the live one by more than is allowed, but perhaps by chance."""

    STOP = "stop"
    SHIP = "ship"


class OnBadModel(StrEnum):
    """What to do when the model alone is to blame: stop, or ship the new code with the live release's model."""

    STOP = "stop"
    KEEP_CURRENT_MODEL = "keep_current_model"


@dataclass(frozen=True)
class Judge:
    """The gates that code and model must pass together.

    golden: path of the golden set in the app's folder. accuracies and recall are shares (0 to 1); recall is each label's; the drop
    is against the live release. significance: the largest p-value at which a difference counts as one. max_memory_mb: of the
    evaluating process at its peak, in units of 1,000,000 bytes. shadow: compare answers to requests that the app has kept.
    """

    command: tuple[str, ...]
    golden: str
    min_accuracy: float
    min_recall: float
    max_accuracy_drop: float
    significance: float
    on_unclear: OnUnclear
    on_bad_model: OnBadModel
    max_latency_p99_ms: float
    max_memory_mb: int
    timeout_seconds: int
    shadow: bool


@dataclass(frozen=True)
class Environment:
    """Where a release ships. manifests: folder of them in the app's folder. error rate: share of all requests (0 to 1).

    signed_by: names of `[signers]`, one of whom must have signed the model; empty where unsigned models are taken.
    """

    name: str
    target: str
    connection: str
    manifests: str
    approval: bool
    rollout_timeout_seconds: int
    verify_seconds: int
    max_error_rate: float
    strategy: Strategy
    drift: Drift
    signed_by: tuple[str, ...]

    @property
    def between_seconds(self) -> int:
        """How long the new release is looked at while it stands beside the live one."""
        return self.strategy.canary.seconds if self.strategy.kind is StrategyKind.CANARY else self.verify_seconds

    @property
    def rollout_seconds(self) -> int:
        """How long a rollout may take with all its stages. Only Swarm never has a stage before the whole."""
        if self.target == "swarm":
            return self.rollout_timeout_seconds
        return 2 * self.rollout_timeout_seconds + self.between_seconds

    @property
    def lease_seconds(self) -> int:
        """How long the lease is held at most without being renewed: a rollout, its verification, and what is around them."""
        return self.rollout_seconds + self.verify_seconds + _AROUND_LEASE_SECONDS


@dataclass(frozen=True)
class Configuration:
    """A whole `release.toml`. signers: name to the path of a public key (PEM) in the app's folder."""

    name: str
    ledger: str
    night: Night
    code: Code
    model: Model
    image: Image
    tests: Tests
    judge: Judge
    environments: dict[str, Environment]
    signers: dict[str, str]

    def environment(self, name: str) -> Environment:
        """One environment. Raises ConfigurationError that lists those there are."""
        if name not in self.environments:
            known = ", ".join(sorted(self.environments))
            raise ConfigurationError(FILE, [f"environments: found no {name!r}, expected one of {known}"])
        return self.environments[name]
