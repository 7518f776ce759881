"""The memory of what was, why, and who said so."""

from abc import ABC, abstractmethod
from datetime import timedelta

from nocturne.domain.inputs import Inputs
from nocturne.domain.records import Cause, Change, Deployment, Evidence, Hold, Lease, Quarantine, Release
from nocturne.domain.states import DeploymentState, ReleaseState


class Ledger(ABC):
    """Releases, deployments, evidence, quarantine, holds and leases. Every method is one transaction and raises Broken
    when the database is out of reach."""

    # releases
    @abstractmethod
    def open_release(self, inputs: Inputs, manifests: dict[str, str]) -> Release:
        """The release with these inputs, recorded now if it is new.

        Until a release is verified, where its inputs are found (commit, version, ETags) is what was frozen last.
        """

    @abstractmethod
    def release(self, release_id: str) -> Release:
        """Raises NotFound. `release_id` may be a prefix that only one release has."""

    @abstractmethod
    def releases(self, limit: int = 50) -> list[Release]:
        """The newest first."""

    @abstractmethod
    def set_image(self, release_id: str, image: str) -> None:
        """Record the release image."""

    @abstractmethod
    def set_release_state(self, release_id: str, state: ReleaseState, reason: str = "") -> None:
        """Record what became of a release."""

    # evidence
    @abstractmethod
    def evidence(self, evidence: Evidence) -> None:
        """Record what was learned, in place of what was known under the same subject and key."""

    @abstractmethod
    def recall(self, subject: str, key: str) -> Evidence | None:
        """What is known under a subject and key."""

    @abstractmethod
    def recall_newest(self, subject: str, beginning: str) -> Evidence | None:
        """What was learned last under a subject and a key that begins so; for who does not know the whole key."""

    # deployments
    @abstractmethod
    def open_deployment(
        self, release_id: str, environment: str, run_id: str, cause: Cause, requested_by: str, reason: str
    ) -> Deployment:
        """The deployment of this run, environment and cause, recorded now (as planned) if it is new.

        Raises Conflict when the one there is of another release.
        """

    @abstractmethod
    def move_deployment(self, deployment_id: int, state: DeploymentState, reason: str = "") -> Deployment:
        """Change a deployment's state along the transition table, with an event. Raises IllegalTransition, changing nothing."""

    @abstractmethod
    def find_deployment(self, run_id: str, environment: str, cause: Cause) -> Deployment | None:
        """The deployment of a run."""

    @abstractmethod
    def deployments(self, environment: str | None = None, limit: int = 50) -> list[Deployment]:
        """The newest first."""

    @abstractmethod
    def verified(self, environment: str, limit: int = 50) -> list[Deployment]:
        """Verified deployments, newest first: the first is what should be live, and the others are what was."""

    def live(self, environment: str) -> Deployment | None:
        """What should be live; None where nothing was verified yet."""
        return next(iter(self.verified(environment, limit=1)), None)

    @abstractmethod
    def events(self, deployment_id: int) -> list[tuple[str, str, str]]:
        """(time, state, reason) of each change of a deployment, oldest first."""

    @abstractmethod
    def changes(self, environment: str) -> list[Change]:
        """All changes of all deployments into an environment, in the order in which they were written."""

    # quarantine
    @abstractmethod
    def quarantine(self, subject_id: str, reason: str, run_id: str) -> None:
        """Reject a release id, a model digest or a code tree; the first reason stays."""

    @abstractmethod
    def quarantined(self, *subject_ids: str) -> list[Quarantine]:
        """Those of the given ids that are in quarantine; all that are for no ids."""

    @abstractmethod
    def lift_quarantine(self, subject_id: str) -> bool:
        """False when it was not in quarantine."""

    # holds
    @abstractmethod
    def hold(self, environment: str, by: str, reason: str) -> Hold:
        """Set a hold, in place of one that is there."""

    @abstractmethod
    def held(self, environment: str) -> Hold | None:
        """The hold on an environment."""

    @abstractmethod
    def resume(self, environment: str, by: str) -> Hold | None:
        """Lift the hold and return it; None when there was none. Who lifted it stays recorded."""

    # lease
    @abstractmethod
    def lease(self, environment: str, run_id: str, duration: timedelta) -> Lease:
        """Take or renew the right to deploy. Raises LeaseTaken, naming the run that has it and until when."""

    @abstractmethod
    def leased(self, environment: str) -> Lease | None:
        """Who has the lease now; None when nobody has, or it has expired."""

    @abstractmethod
    def release_lease(self, environment: str, run_id: str) -> None:
        """Give the lease up; nothing happens when the run does not have it."""
