"""Where a release runs."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from nocturne.domain.errors import Broken
from nocturne.ports.app_client import AppClient


class Stage(StrEnum):
    """How far a release has come towards the users of an environment, in this order.

    beside: it runs, and no user is sent to it. share: a share of the users is. whole: all are.
    """

    BESIDE = "beside"
    SHARE = "share"
    WHOLE = "whole"


class Side(StrEnum):
    """One of the two releases that run beside each other before the whole of the users is sent to the new one."""

    NEW = "new"
    LIVE = "live"


@dataclass(frozen=True)
class DesiredState:
    """What an environment is to run.

    image: reference by digest. manifests: path to text, the app's own. annotations: release, commit, model, run, who.
    stage: how far it is to come now.
    """

    release_id: str
    image: str
    manifests: dict[str, str]
    annotations: dict[str, str]
    stage: Stage = Stage.WHOLE


class Phase(StrEnum):
    """How a rollout stands."""

    PROGRESSING = "progressing"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True)
class Rollout:
    """One look at a rollout. ready, wanted: replicas of the new image. message: for the operator, with the reason of a failure.

    seen: False while the cluster does not answer; the rest is then as it was seen last. blameless: what is in the way says
    nothing about the release (no room, a quota, an image that cannot be pulled): should it end here, it is broken, not rejected.
    restarts: how often containers of the new image have ended and were started again.
    """

    phase: Phase
    ready: int
    wanted: int
    message: str
    seen: bool = True
    blameless: bool = False
    restarts: int = 0


@dataclass(frozen=True)
class Traffic:
    """Requests since some moment, and how many of them failed (5xx or no answer)."""

    requests: int
    failed: int


Counters = Mapping[str, Traffic | None]
"""What each counter has counted since it began with nothing, None for one that could not be read now. The key stands for that
beginning: a counter that has begun again has another."""


class NoReplica(Broken):
    """One side has no replica that takes requests now."""


class Cluster(ABC):
    """One place that runs one app, behind one public address."""

    @abstractmethod
    def check(self, manifests: dict[str, str]) -> list[str]:
        """Every fault of the manifests that can be found without changing anything; empty when there is none.

        Raises Broken when the cluster is out of reach or does not allow what a rollout will need, Conflict when a name that it
        needs is somebody else's.
        """

    def first_stage(self, desired: DesiredState) -> Stage:
        """Where a rollout has to begin, as the environment's strategy and what runs there now demand.

        Whole when users get the release already, and when there is no other that it could stand beside. Raises Broken, Conflict.
        """
        return Stage.WHOLE

    @abstractmethod
    def apply(self, desired: DesiredState) -> bool:
        """Ask for a state; returns without waiting. False when it was asked for already (nothing was changed then).

        Raises Rejected when the manifests are refused, Broken when the cluster is out of reach, Conflict when somebody else has
        changed what it needs to change and the environment does not correct that.
        """

    @abstractmethod
    def watch(self, desired: DesiredState) -> AsyncIterator[Rollout]:
        """Looks at the rollout of this stage until it is complete or failed, one item for each change. Survives a cluster that
        is away.

        Never ends by itself otherwise: the caller sets the deadline. Raises Broken when somebody deploys something else meanwhile.
        """

    @abstractmethod
    def running(self) -> str | None:
        """The release id that users are to get now, None when nothing runs. Raises Broken."""

    @abstractmethod
    def withdraw(self) -> None:
        """Take the app away: there was no release before the one that failed."""

    def retire(self, desired: DesiredState) -> list[str]:
        """Remove what a release that all users get has made superfluous: the previous one beside it, a canary, objects that its
        manifests do not name any more. Only what releases of this app have created.

        Returns what was removed, for the log; nothing is touched when users get another release by now. Raises Broken.
        """
        return []

    def drift(self, desired: DesiredState) -> list[str]:
        """What differs from a release that was rolled out completely, and who changed it, in sentences.

        Raises Broken, and Rejected or Conflict where the release's manifests could not be applied any more and so not be compared.
        """
        return []

    def client(self, side: Side) -> AppClient:
        """Asks the replicas of one side in turn, without the public address. Raises NoReplica when none is ready."""
        raise NotImplementedError(f"{type(self).__name__} has no stage before the whole")

    def served(self, side: Side) -> Counters | None:
        """What everybody has asked of one side, by replica; None when the app does not tell. Raises Broken."""
        return None

    @abstractmethod
    def traffic(self) -> Counters | None:
        """What users have sent through the public address, None where the cluster has no way to tell."""

    @abstractmethod
    def public_url(self) -> str:
        """The base address that users use. Raises Broken when it has none yet."""
