"""The port's methods, each one transaction; what happens in it stands in the module of its table."""

from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import Connection

from nocturne.adapters.sql_ledger import deployments, holds, leases, quarantine, releases, schema
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.sql_ledger.evidence import newest, recalled, record
from nocturne.adapters.sql_ledger.times import written
from nocturne.domain.inputs import Inputs
from nocturne.domain.records import Cause, Change, Deployment, Evidence, Hold, Lease, Quarantine, Release
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.ports.clock import Clock
from nocturne.ports.ledger import Ledger


class SqlLedger(Ledger):
    """The ledger in SQLite or PostgreSQL. url: SQLAlchemy's form (`sqlite:////var/lib/nocturne/ledger.db`).

    Making one touches nothing; `open` also brings the tables up to date. Raises ConfigurationError for a URL it cannot use.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._database = Database(url)
        self._clock = clock

    @classmethod
    def open(cls, url: str, clock: Clock) -> Self:
        """A ledger whose tables are there and up to date. Raises Broken."""
        ledger = cls(url, clock)
        ledger.migrate()
        return ledger

    def migrate(self) -> None:
        """Make or update the tables where that is needed; quick where it is not. Raises Broken."""
        path = self._database.path
        if (path is not None and not path.exists()) or schema.current(self._database) != schema.HEAD:
            schema.upgrade(self._database)

    def close(self) -> None:
        """Close the connections that are open."""
        self._database.close()

    def _now(self) -> str:
        return written(self._clock.now())

    def _shared_now(self, connection: Connection) -> datetime:
        """By the one clock that all workers share: to one whose own is ahead, the lease of another would have expired already."""
        return self._database.server_time(connection) or self._clock.now()

    # releases
    def open_release(self, inputs: Inputs, manifests: dict[str, str]) -> Release:
        """The release with these inputs, recorded now if it is new."""
        with self._database.writing() as connection:
            return releases.opened(connection, inputs, manifests, self._now())

    def release(self, release_id: str) -> Release:
        """Raises NotFound. `release_id` may be a prefix that only one release has."""
        with self._database.reading() as connection:
            return releases.found(connection, release_id)

    def releases(self, limit: int = 50) -> list[Release]:
        """The newest first."""
        with self._database.reading() as connection:
            return releases.newest(connection, limit)

    def set_image(self, release_id: str, image: str) -> None:
        """Record the release image. Raises NotFound."""
        with self._database.writing() as connection:
            releases.change(connection, release_id, image=image)

    def set_release_state(self, release_id: str, state: ReleaseState, reason: str = "") -> None:
        """Record what became of a release. Raises NotFound."""
        with self._database.writing() as connection:
            releases.change(connection, release_id, state=state, reason=reason)

    # evidence
    def evidence(self, evidence: Evidence) -> None:
        """Record what was learned, in place of what was known under the same subject and key."""
        with self._database.writing() as connection:
            record(connection, evidence)

    def recall(self, subject: str, key: str) -> Evidence | None:
        """What is known under a subject and key."""
        with self._database.reading() as connection:
            return recalled(connection, subject, key)

    def recall_newest(self, subject: str, beginning: str) -> Evidence | None:
        """What was learned last under a subject and a key that begins so."""
        with self._database.reading() as connection:
            return newest(connection, subject, beginning)

    # deployments
    def open_deployment(
        self, release_id: str, environment: str, run_id: str, cause: Cause, requested_by: str, reason: str
    ) -> Deployment:
        """The deployment of this run, environment and cause, recorded now (as planned) if it is new. Raises Conflict, NotFound."""
        planned = DeploymentState.PLANNED
        with self._database.writing() as connection:
            now = self._now()
            wanted = Deployment(0, release_id, environment, run_id, cause, requested_by, planned, reason, now, now)
            return deployments.opened(connection, wanted)

    def move_deployment(self, deployment_id: int, state: DeploymentState, reason: str = "") -> Deployment:
        """Change a deployment's state along the transition table, with an event. A reason given takes the former one's place.

        Raises IllegalTransition, changing nothing, and NotFound.
        """
        with self._database.writing() as connection:
            return deployments.moved(connection, deployment_id, state, reason, self._now())

    def find_deployment(self, run_id: str, environment: str, cause: Cause) -> Deployment | None:
        """The deployment of a run."""
        with self._database.reading() as connection:
            return deployments.of_run(connection, run_id, environment, cause)

    def deployments(self, environment: str | None = None, limit: int = 50) -> list[Deployment]:
        """The newest first."""
        with self._database.reading() as connection:
            return deployments.newest(connection, environment, limit)

    def verified(self, environment: str, limit: int = 50) -> list[Deployment]:
        """Verified deployments, the last to be verified first."""
        with self._database.reading() as connection:
            return deployments.verified(connection, environment, limit)

    def events(self, deployment_id: int) -> list[tuple[str, str, str]]:
        """(time, state, reason) of each change of a deployment, oldest first."""
        with self._database.reading() as connection:
            return deployments.events(connection, deployment_id)

    def changes(self, environment: str) -> list[Change]:
        """All changes of all deployments into an environment, in the order in which they were written."""
        with self._database.reading() as connection:
            return deployments.changes(connection, environment)

    # quarantine
    def quarantine(self, subject_id: str, reason: str, run_id: str) -> None:
        """Reject a release id, a model digest or a code tree; the first reason stays."""
        with self._database.writing() as connection:
            quarantine.add(connection, Quarantine(subject_id, reason, run_id, self._now()))

    def quarantined(self, *subject_ids: str) -> list[Quarantine]:
        """Those of the given ids that are in quarantine; all that are for no ids."""
        with self._database.reading() as connection:
            return quarantine.in_force(connection, list(subject_ids))

    def lift_quarantine(self, subject_id: str) -> bool:
        """False when it was not in quarantine."""
        with self._database.writing() as connection:
            return quarantine.lift(connection, subject_id, self._now())

    # holds
    def hold(self, environment: str, by: str, reason: str) -> Hold:
        """Set a hold, in place of one that is there."""
        with self._database.writing() as connection:
            return holds.put(connection, Hold(environment, by, reason, self._now()))

    def held(self, environment: str) -> Hold | None:
        """The hold on an environment."""
        with self._database.reading() as connection:
            return holds.in_force(connection, environment)

    def resume(self, environment: str, by: str) -> Hold | None:
        """Lift the hold and return it; None when there was none. Who lifted it stays recorded."""
        with self._database.writing() as connection:
            return holds.lift(connection, environment, by, self._now())

    # lease
    def lease(self, environment: str, run_id: str, duration: timedelta) -> Lease:
        """Take or renew the right to deploy. Raises LeaseTaken, naming the run that has it and until when."""
        with self._database.writing() as connection:
            # The clock is read once the writers before this one are done: waiting for them may have taken a while.
            now = self._shared_now(connection)
            return leases.taken(connection, Lease(environment, run_id, written(now + duration)), written(now))

    def leased(self, environment: str) -> Lease | None:
        """Who has the lease now; None when nobody has, or it has expired."""
        with self._database.reading() as connection:
            return leases.in_force(connection, environment, written(self._shared_now(connection)))

    def release_lease(self, environment: str, run_id: str) -> None:
        """Give the lease up; nothing happens when the run does not have it."""
        with self._database.writing() as connection:
            leases.give_up(connection, environment, run_id)
