"""What each database must do alike; the finer points are tested on SQLite alone."""

from datetime import timedelta

import pytest

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.sql_ledger.database import Database
from nocturne.domain.errors import Broken, LeaseTaken, NotFound
from nocturne.domain.records import Cause, Evidence, Subject
from nocturne.domain.states import DeploymentState, IllegalTransition, ReleaseState
from tests.fakes.inputs import some_inputs

TO_VERIFIED = (DeploymentState.ROLLING_OUT, DeploymentState.VERIFYING, DeploymentState.VERIFIED)


def test_a_night_is_remembered(ledger: SqlLedger) -> None:
    """A release, its evidence and its deployment with all events come back as they were recorded."""
    release = ledger.open_release(some_inputs(), {"web.yaml": "ü"})
    ledger.set_image(release.id, "host/app@sha256:1")
    learned = Evidence(Subject.TESTS, release.inputs.code.tree, True, "run", "2026-11-20T02:00:00Z", {"failed": []})
    for _ in range(2):
        ledger.evidence(learned)
    deployment = ledger.open_deployment(release.id, "production", "run", Cause.NIGHT, "schedule", "nightly")
    for state in TO_VERIFIED:
        deployment = ledger.move_deployment(deployment.id, state)
    ledger.set_release_state(release.id, ReleaseState.VERIFIED)
    found = ledger.release(release.id[:8])
    assert (found.inputs, found.manifests, found.image) == (release.inputs, release.manifests, "host/app@sha256:1")
    assert found.state is ReleaseState.VERIFIED
    assert ledger.recall(Subject.TESTS, release.inputs.code.tree) == learned
    assert ledger.verified("production") == ledger.deployments("production") == [deployment]
    assert [state for _, state, _ in ledger.events(deployment.id)] == ["planned", *TO_VERIFIED]
    assert [(change.deployment, change.state) for change in ledger.changes("production")] == [
        (deployment, state) for state in (DeploymentState.PLANNED, *TO_VERIFIED)
    ]
    assert ledger.recall_newest(Subject.TESTS, release.inputs.code.tree[:9]) == learned


def test_what_is_refused_changes_nothing(ledger: SqlLedger) -> None:
    """An illegal move and an unknown release are refused, and the ledger goes on working."""
    release = ledger.open_release(some_inputs(), {})
    deployment = ledger.open_deployment(release.id, "production", "run", Cause.NIGHT, "schedule", "")
    with pytest.raises(IllegalTransition):
        ledger.move_deployment(deployment.id, DeploymentState.VERIFIED)
    with pytest.raises(NotFound):
        ledger.open_deployment("r-none", "production", "run-2", Cause.NIGHT, "schedule", "")
    assert ledger.deployments() == [deployment]


def test_holds_quarantine_and_leases_end(ledger: SqlLedger) -> None:
    """Each is in force until it is lifted or given up, and can be set anew."""
    for number in range(2):
        ledger.hold("production", "ada", f"reason {number}")
        ledger.quarantine("r-1", f"reason {number}", "run")
        ledger.lease("production", f"run-{number}", timedelta(minutes=1))
        with pytest.raises(LeaseTaken):
            ledger.lease("production", "another", timedelta(minutes=1))
        assert [item.reason for item in ledger.quarantined("r-1")] == [f"reason {number}"]
        assert ledger.resume("production", "bob").reason == f"reason {number}"
        assert ledger.lift_quarantine("r-1")
        ledger.release_lease("production", f"run-{number}")
    assert (ledger.held("production"), ledger.quarantined(), ledger.leased("production")) == (None, [], None)


def test_a_writer_that_waits_too_long_is_broken(ledger: SqlLedger, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another writer does not end, a write gives up after its time and says why; reading goes on."""
    monkeypatch.setattr("nocturne.adapters.sql_ledger.patience.WAIT_SECONDS", 1)
    impatient = Database(url)
    with Database(url).writing():
        assert ledger.releases() == []
        with pytest.raises(Broken, match=r"locked|lock timeout"), impatient.writing():
            pass


def test_a_server_that_is_away_is_broken_without_its_password(postgresql: str) -> None:
    """Where no server listens, the message has the address and the driver's words, and no password."""
    away = postgresql.replace("nocturne@", "nocturne:s3cret@").replace("host=", "host=%2Fnowhere")
    with pytest.raises(Broken, match="the ledger at postgresql") as caught:
        Database(away).reading().__enter__()
    assert "s3cret" not in str(caught.value)
