import pytest

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.domain.errors import Conflict, NotFound
from nocturne.domain.records import Cause, Deployment
from nocturne.domain.states import DeploymentState, IllegalTransition
from tests.fakes import FakeClock
from tests.fakes.inputs import some_inputs

TO_VERIFIED = (DeploymentState.ROLLING_OUT, DeploymentState.VERIFYING, DeploymentState.VERIFIED)


@pytest.fixture
def release_id(ledger: SqlLedger) -> str:
    return ledger.open_release(some_inputs(), {}).id


def _opened(ledger: SqlLedger, release_id: str, run_id: str = "run-1", environment: str = "production") -> Deployment:
    return ledger.open_deployment(release_id, environment, run_id, Cause.NIGHT, "schedule", "nightly")


def _moved(ledger: SqlLedger, deployment: Deployment, *states: DeploymentState) -> Deployment:
    for state in states:
        deployment = ledger.move_deployment(deployment.id, state)
    return deployment


def test_a_deployment_begins_as_planned_with_its_first_event(ledger: SqlLedger, release_id: str) -> None:
    """A new deployment is planned, says who asked for it and why, and has one event."""
    deployment = _opened(ledger, release_id)
    now = "2026-11-20T02:00:00.000Z"
    planned = DeploymentState.PLANNED
    expected = Deployment(1, release_id, "production", "run-1", Cause.NIGHT, "schedule", planned, "nightly", now, now)
    assert deployment == ledger.find_deployment("run-1", "production", Cause.NIGHT) == expected
    assert ledger.events(deployment.id) == [(now, "planned", "nightly")]


def test_a_retried_step_finds_its_deployment(ledger: SqlLedger, release_id: str) -> None:
    """Opening again gives the deployment in the state it has come to, and no second one."""
    deployment = _moved(ledger, _opened(ledger, release_id), DeploymentState.ROLLING_OUT)
    assert _opened(ledger, release_id) == deployment
    assert ledger.deployments() == [deployment]


def test_a_run_cannot_deploy_two_releases_for_one_cause(ledger: SqlLedger, release_id: str) -> None:
    """The second release is a conflict that names both; another cause or environment is another deployment."""
    first = _opened(ledger, release_id)
    other = ledger.open_release(some_inputs(code="other"), {}).id
    with pytest.raises(Conflict, match=rf"{release_id} into production \(night\) already.*{other}"):
        _opened(ledger, other)
    restored = ledger.open_deployment(other, "production", "run-1", Cause.RESTORE, "schedule", "")
    elsewhere = _opened(ledger, other, environment="staging")
    assert ledger.deployments() == [elsewhere, restored, first]


@pytest.mark.parametrize("beginning", [6, 0])
def test_only_a_known_release_is_deployed(ledger: SqlLedger, release_id: str, beginning: int) -> None:
    """A deployment needs a recorded release by its whole id, and the message names those there are."""
    with pytest.raises(NotFound, match=release_id):
        _opened(ledger, release_id[:beginning])
    assert ledger.deployments() == []


def test_each_change_is_told_as_an_event(ledger: SqlLedger, release_id: str, clock: FakeClock) -> None:
    """Moving records time, state and reason; a reason given takes the place of the one before, which the events keep."""
    deployment = _opened(ledger, release_id)
    clock.advance(5)
    assert ledger.move_deployment(deployment.id, DeploymentState.ROLLING_OUT).reason == "nightly"
    clock.advance(5.25)
    failed = ledger.move_deployment(deployment.id, DeploymentState.REJECTED, "0 of 2 ready")
    assert (failed.state, failed.reason) == (DeploymentState.REJECTED, "0 of 2 ready")
    assert (failed.started_at, failed.changed_at) == ("2026-11-20T02:00:00.000Z", "2026-11-20T02:00:10.250Z")
    assert ledger.find_deployment("run-1", "production", Cause.NIGHT) == failed
    assert ledger.events(deployment.id) == [
        ("2026-11-20T02:00:00.000Z", "planned", "nightly"),
        ("2026-11-20T02:00:05.000Z", "rolling out", ""),
        ("2026-11-20T02:00:10.250Z", "rejected", "0 of 2 ready"),
    ]


def test_staying_in_a_state_writes_nothing(ledger: SqlLedger, release_id: str, clock: FakeClock) -> None:
    """A move into the state that is there changes neither time nor reason and tells no event, also in a final state."""
    before = _moved(ledger, _opened(ledger, release_id), *TO_VERIFIED)
    events = ledger.events(before.id)
    clock.advance(60)
    assert ledger.move_deployment(before.id, DeploymentState.VERIFIED, "again") == before
    assert ledger.events(before.id) == events


def test_an_illegal_move_changes_nothing(ledger: SqlLedger, release_id: str) -> None:
    """A state that does not follow is refused, and row and events are as they were."""
    deployment = _opened(ledger, release_id)
    with pytest.raises(IllegalTransition, match="planned cannot become verified"):
        ledger.move_deployment(deployment.id, DeploymentState.VERIFIED)
    assert ledger.deployments() == [deployment]
    assert len(ledger.events(deployment.id)) == 1


def test_an_unknown_deployment_is_not_found(ledger: SqlLedger) -> None:
    """Moving what is not there says so; looking for it gives nothing."""
    with pytest.raises(NotFound, match="no deployment 7"):
        ledger.move_deployment(7, DeploymentState.ROLLING_OUT)
    assert ledger.find_deployment("run-1", "production", Cause.NIGHT) is None
    assert ledger.events(7) == []


def test_deployments_come_newest_first_within_environment_and_limit(ledger: SqlLedger, release_id: str) -> None:
    """One environment's deployments or all, newest first, at most as many as asked for."""
    runs = [_opened(ledger, release_id, f"run-{number}", ("production", "staging")[number % 2]) for number in range(4)]
    assert ledger.deployments() == runs[::-1]
    assert ledger.deployments("staging") == [runs[3], runs[1]]
    assert ledger.deployments("staging", limit=1) == [runs[3]]
    assert ledger.deployments("nowhere") == []


def test_verified_ones_come_in_the_order_of_verification(ledger: SqlLedger, release_id: str) -> None:
    """The last to be verified is first, whichever was opened last; others and other environments are left out."""
    slow, quick, failed = (_opened(ledger, release_id, f"run-{number}") for number in range(3))
    quick = _moved(ledger, quick, *TO_VERIFIED)
    _moved(ledger, failed, DeploymentState.ROLLING_OUT, DeploymentState.REJECTED)
    _moved(ledger, _opened(ledger, release_id, "run-4", "staging"), *TO_VERIFIED)
    slow = _moved(ledger, slow, *TO_VERIFIED)
    assert ledger.verified("production") == [slow, quick]
    assert ledger.verified("production", limit=1) == [slow]


def test_a_worker_whose_clock_is_behind_still_verifies_last(ledger: SqlLedger, release_id: str, clock: FakeClock) -> None:
    """What counts is the order of writing, not the time that a worker believed it was."""
    first = _moved(ledger, _opened(ledger, release_id), *TO_VERIFIED)
    clock.advance(-3600)
    second = _moved(ledger, _opened(ledger, release_id, "run-2"), *TO_VERIFIED)
    assert ledger.verified("production") == [second, first]


def test_changes_are_told_in_the_order_of_writing(ledger: SqlLedger, release_id: str, clock: FakeClock) -> None:
    """Those of all deployments into an environment, by none of whose clocks, each with its deployment as it is now."""
    first, second = _opened(ledger, release_id), _opened(ledger, release_id, "run-2")
    _opened(ledger, release_id, "run-3", "staging")
    clock.advance(60)
    first = _moved(ledger, first, *TO_VERIFIED)
    clock.advance(-3600)
    second = _moved(ledger, second, DeploymentState.ROLLING_OUT)
    found = ledger.changes("production")
    states = [(change.deployment.id, change.state.value) for change in found]
    assert states == [(1, "planned"), (2, "planned"), (1, "rolling out"), (1, "verifying"), (1, "verified"), (2, "rolling out")]
    assert found[0].deployment == found[4].deployment == first
    assert (found[5].deployment, found[5].at) == (second, "2026-11-20T01:01:00.000Z")
    assert [change.at for change in found[:4]] == ["2026-11-20T02:00:00.000Z"] * 2 + ["2026-11-20T02:01:00.000Z"] * 2
    assert ledger.changes("elsewhere") == []
