import os
import signal
import time
from datetime import datetime, timedelta
from threading import Timer

from sqlalchemy import text

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.errors import LeaseTaken
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState
from tests.fakes.inputs import some_inputs
from tests.integration.sql_ledger.processes import at_once

COUNT = 8
MINUTE = timedelta(minutes=1)


class _Wrong(SystemClock):
    """A clock that is off."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by


def _ledger(url: str) -> SqlLedger:
    return SqlLedger(url, SystemClock())


def test_one_process_of_many_gets_the_lease(ledger: SqlLedger, url: str) -> None:
    """Of eight runs that ask at once exactly one gets the lease; the others are told its name."""
    found = at_once(COUNT, lambda number: _ledger(url).lease("production", f"run-{number}", MINUTE).run_id)
    winners = [text for text in found if str(text).startswith("run-")]
    assert len(winners) == 1
    assert ledger.leased("production").run_id == winners[0]
    assert all(f"leased to the run {winners[0]} until" in text for text in found if text != winners[0])


def test_one_process_of_many_takes_an_expired_lease(ledger: SqlLedger, url: str) -> None:
    """A lease that a dead run has left behind goes to exactly one of those that wait for it."""
    ledger.lease("production", "dead", timedelta(seconds=-1))
    found = at_once(COUNT, lambda number: _ledger(url).lease("production", f"run-{number}", MINUTE).run_id)
    assert sum(str(text).startswith("run-") for text in found) == 1


def test_clocks_that_differ_share_one_lease(postgresql: str) -> None:
    """Of twenty workers whose clocks are up to ten hours apart one gets the lease: the server's clock counts, not theirs."""
    SqlLedger.open(postgresql, SystemClock()).close()

    def work(number: int) -> str:
        return SqlLedger(postgresql, _Wrong(timedelta(hours=number - 10))).lease("production", f"run-{number}", MINUTE).run_id

    found = at_once(20, work)
    winners = [text for text in found if str(text).startswith("run-")]
    assert len(winners) == 1
    for hours in (-10, 10):
        assert SqlLedger(postgresql, _Wrong(timedelta(hours=hours))).leased("production").run_id == winners[0]


def test_the_next_gets_in_after_expiry(ledger: SqlLedger, url: str) -> None:
    """A run that dies with the lease keeps the others out for its time and no longer; then one of twenty gets it."""
    ledger.lease("production", "dead", timedelta(seconds=2))

    def work(number: int) -> str:
        own = _ledger(url)
        while True:
            try:
                return own.lease("production", f"run-{number}", MINUTE).run_id
            except LeaseTaken as taken:
                if "the run dead until" not in str(taken):
                    raise
            time.sleep(0.1)

    found = at_once(20, work)
    assert sum(str(text).startswith("run-") for text in found) == 1
    assert sum(str(text).startswith("LeaseTaken") for text in found) == 19


def writer_in_the_middle(url: str) -> int:
    """The id of a process that has taken the lease in a transaction, and does not end it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with Database(url).writing() as connection:
            connection.execute(text("INSERT INTO leases VALUES ('production', 'killed', '', '2999')"))
            os.write(writing, b"written")
            signal.pause()
    assert os.read(reading, 7) == b"written"
    return child


def test_a_writer_killed_before_the_others_does_not_decide(ledger: SqlLedger, url: str) -> None:
    """While twenty processes wait for a writer that has the lease in hand it gets SIGKILL: exactly one of them wins."""
    child = writer_in_the_middle(url)
    Timer(1, os.kill, (child, signal.SIGKILL)).start()
    found = at_once(20, lambda number: _ledger(url).lease("production", f"run-{number}", MINUTE).run_id)
    os.waitpid(child, 0)
    winners = [text for text in found if str(text).startswith("run-")]
    assert len(winners) == 1
    assert ledger.leased("production").run_id == winners[0]


def test_many_processes_migrate_at_once(url: str) -> None:
    """Eight processes that open a database that is not there yet all find it whole."""
    assert at_once(COUNT, lambda _: SqlLedger.open(url, SystemClock()).releases()) == [[]] * COUNT


def test_many_processes_open_one_release_and_one_deployment(ledger: SqlLedger, url: str) -> None:
    """The same release and deployment, opened by eight processes at once, are one row each."""

    def work(_: int) -> int:
        release = _ledger(url).open_release(some_inputs(), {})
        return _ledger(url).open_deployment(release.id, "production", "run", Cause.NIGHT, "schedule", "").id

    assert at_once(COUNT, work) == [1] * COUNT
    assert (len(ledger.releases()), len(ledger.deployments()), len(ledger.events(1))) == (1, 1, 1)


def test_of_two_fates_a_deployment_has_one(ledger: SqlLedger, url: str) -> None:
    """When several processes move a deployment at once into states that exclude each other, the first one counts."""
    release = ledger.open_release(some_inputs(), {})
    deployment = ledger.open_deployment(release.id, "production", "run", Cause.NIGHT, "schedule", "")
    for state in (DeploymentState.ROLLING_OUT, DeploymentState.VERIFYING):
        ledger.move_deployment(deployment.id, state)
    fates = (DeploymentState.VERIFIED, DeploymentState.REJECTED)
    found = at_once(COUNT, lambda number: _ledger(url).move_deployment(deployment.id, fates[number % 2]).state)
    assert sum(str(text).startswith("IllegalTransition") for text in found) == COUNT // 2
    assert len(ledger.events(deployment.id)) == 4


def test_many_writers_lose_nothing(ledger: SqlLedger, url: str) -> None:
    """Each of 8 x 20 writes that are made at once is there afterwards."""

    def work(number: int) -> None:
        own = _ledger(url)
        for index in range(20):
            own.quarantine(f"{number}-{index}", "reason", "run")

    assert at_once(COUNT, work) == [None] * COUNT
    assert len(ledger.quarantined()) == COUNT * 20


def test_a_writer_killed_in_the_middle_leaves_no_trace(ledger: SqlLedger, url: str) -> None:
    """After SIGKILL in a transaction its rows are not there, and the next writer need not wait."""
    child = writer_in_the_middle(url)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert ledger.leased("production") is None
    assert ledger.lease("production", "next", MINUTE).run_id == "next"
