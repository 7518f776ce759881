import pytest

from nocturne.domain.errors import Conflict
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState
from nocturne.steps.freeze_inputs import Wish
from nocturne.steps.settle import Verdict
from tests.fakes.cluster import FAILED
from tests.fakes.world import FakeWorld
from tests.unit.steps.nights import night, run_of
from tests.unit.steps.strategies import BLUE_GREEN, CANARY, live_and_next, on_kubernetes, stages

CHANGE = "Deployment digits: image is busybox, expected digits@sha256:1 (changed by kubectl-edit)"


def test_a_change_by_hand_is_put_right(world: FakeWorld) -> None:
    """A night without anything new applies the live release again, makes nothing anew, and gives the change as its reason."""
    first = night(world, 1)
    world.production.drifted = [CHANGE]
    second = night(world, 2)
    assert second.reasons == (f"changed by hand: {CHANGE}",)
    assert (second.verdict, second.done) == (Verdict.VERIFIED, ["roll_out", "verify_release"])
    assert [state.release_id for state in world.production.applied] == [first.release_id] * 2
    assert night(world, 3).outcomes == {}


@pytest.mark.parametrize("strategy", [BLUE_GREEN, CANARY])
def test_putting_right_needs_no_other_side(world: FakeWorld, strategy: str) -> None:
    """What users get already is applied whole, whatever the strategy."""
    on_kubernetes(world, strategy)
    night(world, 1)
    world.production.drifted = [CHANGE]
    assert night(world, 2).verdict is Verdict.VERIFIED
    assert {stage for _, stage in stages(world)} == {"whole"}


def test_a_change_by_hand_that_may_not_be_put_right(world: FakeWorld) -> None:
    """Where the environment says stop, the night ends red with every difference, and applies nothing."""
    on_kubernetes(world, keys='drift = "stop"')
    night(world, 1)
    world.production.drifted = [CHANGE, "Service digits is missing"]
    second = night(world, 2)
    assert isinstance(second.error, Conflict)
    assert f"\n  - {CHANGE}\n  - Service digits is missing" in str(second.error)
    assert 'drift = "correct"' in second.error.advice
    assert (second.verdict, second.failed) == (Verdict.BROKEN, ("freeze_inputs",))
    assert "production was not touched" in second.settled.message
    assert len(world.production.applied) == 1


@pytest.mark.parametrize("policy", ["correct", "stop"])
def test_something_new_replaces_a_change_by_hand(world: FakeWorld, policy: str) -> None:
    """A night that ships something new says what was changed and goes on: its reasons are its own."""
    on_kubernetes(world, keys=f'drift = "{policy}"')
    live_and_next(world)
    world.production.drifted = [CHANGE]
    second = night(world, 2)
    assert second.verdict is Verdict.VERIFIED
    assert second.reasons[0].startswith("the code changed")
    assert f"changed by hand: {CHANGE}" in world.lines


def test_nobody_asks_a_cluster_that_runs_something_else(world: FakeWorld) -> None:
    """Where another release runs than the ledger says, that is the difference, and no other is looked for."""
    night(world, 1)
    world.production.desired = None
    night(world, 2)
    assert world.production.calls["drift"] == 0


def test_a_dry_run_shows_it(world: FakeWorld) -> None:
    """A dry run has the change as its reason and leaves it."""
    night(world, 1)
    world.production.drifted = [CHANGE]
    assert night(world, 2, wish=Wish(dry_run=True)).reasons == (f"changed by hand: {CHANGE}",)
    assert world.production.drifted == [CHANGE]


def test_a_hold_leaves_it(world: FakeWorld) -> None:
    """While the environment is on hold a change by hand stays, and the night says that it does."""
    night(world, 1)
    world.production.drifted = [CHANGE]
    world.ledger.hold("production", "ada", "I am looking into it")
    second = night(world, 2)
    assert "held by ada" in second.reasons[1]
    assert (second.verdict, world.production.drifted) == (Verdict.UNCHANGED, [CHANGE])


def test_somebody_else_owns_a_field(world: FakeWorld) -> None:
    """A conflict while applying is not retried as such: the deployment is broken with its reason, and production is as it was."""
    first, second_id = live_and_next(world)
    owned = Conflict("kubectl-edit owns spec.replicas of Deployment digits", advice="give it back")
    world.production.fail_next("apply", owned)
    second = night(world, 2)
    assert (second.error, second.verdict) == (owned, Verdict.BROKEN)
    deployment = world.ledger.find_deployment(run_of(2).id, "production", Cause.NIGHT)
    assert (deployment.release_id, deployment.state) == (second_id, DeploymentState.BROKEN)
    assert "kubectl-edit owns spec.replicas" in deployment.reason
    assert world.production.running() == first
    assert world.ledger.quarantined() == []


def test_a_conflict_while_putting_back_leaves_what_is_there(world: FakeWorld) -> None:
    """When the previous release runs all the same, a conflict on its fields does not make settling fail."""
    first, _ = live_and_next(world)
    owned = Conflict("kubectl-edit owns spec.replicas")
    world.production.fail_next("apply", owned, owned)
    second = night(world, 2)
    assert f"production was left as it is, with {first}: kubectl-edit owns" in second.settled.message
    assert world.ledger.leased("production") is None


def test_a_live_release_that_cannot_be_applied_again_stays(world: FakeWorld) -> None:
    """When putting a change right is broken, users keep the live release: an older one is not put in its place."""
    first, _ = live_and_next(world)
    second_id = night(world, 2).release_id
    world.production.drifted = [CHANGE]
    world.production.fail_next("apply", Conflict("another manager owns it"))
    third = night(world, 3)
    assert f"production still runs {second_id}, which was verified before" in third.settled.message
    assert first not in [state.release_id for state in world.production.applied[1:]]


def test_refused_by_the_cluster(world: FakeWorld) -> None:
    """Manifests that only the cluster's own dry run refuses are a rejection that the ledger knows of."""
    from nocturne.domain.errors import Rejected

    first, second_id = live_and_next(world)
    world.production.fail_next("apply", Rejected("Deployment digits: exceeds the quota of one container"))
    assert night(world, 2).verdict is Verdict.REJECTED
    deployment = world.ledger.find_deployment(run_of(2).id, "production", Cause.NIGHT)
    assert deployment.state is DeploymentState.REJECTED
    assert [item.id for item in world.ledger.quarantined()] == [second_id]
    assert world.production.running() == first


def test_nothing_runs_yet_and_it_failed(world: FakeWorld) -> None:
    """A first release that failed before anything ran is taken away too: what was begun could come up later unseen."""
    from tests.unit.steps.strategies import next_id

    world.production.script(next_id(world), FAILED)
    world.production.running = lambda: None  # type: ignore[method-assign]
    assert "was taken away again" in night(world, 1).settled.message
    assert world.production.calls["withdraw"] == 1
