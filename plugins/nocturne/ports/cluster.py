"""Where a release runs."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class DesiredState:
    """What an environment is to run.

    image: reference by digest. manifests: path to text, the app's own. annotations: release, commit, model, run, who.
    """

    release_id: str
    image: str
    manifests: dict[str, str]
    annotations: dict[str, str]


class Phase(StrEnum):
    """How a rollout stands."""

    PROGRESSING = "progressing"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True)
class Rollout:
    """One look at a rollout. ready, wanted: replicas of the new image. message: for the operator, with the reason of a failure.

    seen: False while the cluster does not answer; the rest is then as it was seen last.
    """

    phase: Phase
    ready: int
    wanted: int
    message: str
    seen: bool = True


@dataclass(frozen=True)
class Traffic:
    """Requests that users sent through the public address since some moment, and how many of them failed (5xx or no answer)."""

    requests: int
    failed: int


class Cluster(ABC):
    """One place that runs one app, behind one public address."""

    @abstractmethod
    def check(self, manifests: dict[str, str]) -> list[str]:
        """Every fault of the manifests that can be found without changing anything; empty when there is none."""

    @abstractmethod
    def apply(self, desired: DesiredState) -> bool:
        """Ask for a state; returns without waiting. False when it was asked for already (nothing was changed then).

        Raises Rejected when the manifests are refused, Broken when the cluster is out of reach.
        """

    @abstractmethod
    def watch(self, desired: DesiredState) -> AsyncIterator[Rollout]:
        """Looks at the rollout until it is complete or failed, one item for each change. Survives a cluster that is away.

        Never ends by itself otherwise: the caller sets the deadline.
        """

    @abstractmethod
    def running(self) -> str | None:
        """The release id that the cluster is asked to run now, None when it runs nothing. Raises Broken."""

    @abstractmethod
    def withdraw(self) -> None:
        """Take the app away: there was no release before the one that failed."""

    @abstractmethod
    def traffic(self) -> Traffic | None:
        """Counters since the front door started, None where the cluster has no way to tell."""

    @abstractmethod
    def public_url(self) -> str:
        """The base address that users use."""
