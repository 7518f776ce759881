from datetime import timedelta

import pytest

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.domain.errors import LeaseTaken
from nocturne.domain.records import Lease
from tests.fakes import FakeClock

MINUTE = timedelta(minutes=1)


def test_a_lease_keeps_others_out_and_names_the_holder(ledger: SqlLedger) -> None:
    """While one run has the lease another gets LeaseTaken, which says whose it is and until when."""
    lease = ledger.lease("production", "run-1", MINUTE)
    assert lease == ledger.leased("production") == Lease("production", "run-1", "2026-11-20T02:01:00.000Z")
    with pytest.raises(LeaseTaken, match=r"run-1 until 2026-11-20T02:01:00\.000Z"):
        ledger.lease("production", "run-2", MINUTE)
    assert ledger.leased("production") == lease


def test_environments_are_leased_apart(ledger: SqlLedger) -> None:
    """A lease on one environment says nothing of another."""
    ledger.lease("production", "run-1", MINUTE)
    assert ledger.lease("staging", "run-2", MINUTE).run_id == "run-2"
    assert ledger.leased("nowhere") is None


def test_the_same_run_extends_its_lease(ledger: SqlLedger, clock: FakeClock) -> None:
    """Renewing counts from now."""
    ledger.lease("production", "run-1", MINUTE)
    clock.advance(50)
    assert ledger.lease("production", "run-1", MINUTE).expires_at == "2026-11-20T02:01:50.000Z"
    clock.advance(59)
    with pytest.raises(LeaseTaken):
        ledger.lease("production", "run-2", MINUTE)


def test_a_lease_ends_at_its_time(ledger: SqlLedger, clock: FakeClock) -> None:
    """At the very moment it expires nobody has it, and another run can take it; the first then cannot."""
    ledger.lease("production", "run-1", MINUTE)
    clock.advance(60)
    assert ledger.leased("production") is None
    assert ledger.lease("production", "run-2", MINUTE).run_id == "run-2"
    with pytest.raises(LeaseTaken, match="run-2"):
        ledger.lease("production", "run-1", MINUTE)


def test_only_the_holder_gives_a_lease_up(ledger: SqlLedger) -> None:
    """Giving up what another run has, or nobody, does nothing."""
    ledger.release_lease("production", "run-1")
    lease = ledger.lease("production", "run-1", MINUTE)
    ledger.release_lease("production", "run-2")
    ledger.release_lease("staging", "run-1")
    assert ledger.leased("production") == lease
    ledger.release_lease("production", "run-1")
    assert ledger.leased("production") is None
    assert ledger.lease("production", "run-2", MINUTE).run_id == "run-2"
