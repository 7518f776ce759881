import dataclasses

import pytest

from nocturne.domain.errors import Conflict, Relapsed
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.ports.cluster import DesiredState, Stage
from nocturne.steps.settle import Verdict
from tests.fakes.cluster import FAILED
from tests.fakes.world import LABELS, FakeWorld
from tests.unit.steps.nights import night, run_of
from tests.unit.steps.strategies import BLUE_GREEN, CANARY, live_and_next, next_id, on_kubernetes, stages

CHANGE = "Deployment digits: image is busybox, expected digits@sha256:1 (changed by kubectl-set)"


@pytest.mark.parametrize("fault", ["never ready", "wrong answers"])
def test_a_correction_that_fails_refuses_nothing(world: FakeWorld, fault: str) -> None:
    """When a change by hand cannot be put right, the live release is broken, not refused, and no older one takes its place."""
    first, second = live_and_next(world)
    night(world, 2)
    world.production.drifted = [CHANGE]
    if fault == "never ready":
        world.production.script(second, FAILED)
    else:
        world.answers_in_production[second] = ("9",) * len(LABELS)
    found = night(world, 3)
    assert isinstance(found.error, Relapsed)
    assert (found.verdict, world.production.running()) == (Verdict.BROKEN, second)
    assert f"production still runs {second}, which was verified before" in found.settled.message
    assert found.settled.message.endswith("the next run tries again")
    assert (world.ledger.quarantined(), world.ledger.release(second).state) == ([], ReleaseState.VERIFIED)
    assert world.ledger.find_deployment(run_of(3).id, "production", Cause.NIGHT).state is DeploymentState.BROKEN
    assert [state.release_id for state in world.production.applied].count(first) == 1


def test_another_image_is_put_right_without_a_canary(world: FakeWorld) -> None:
    """Somebody who sets another image makes it look like another release: what was verified here is not compared again."""
    on_kubernetes(world, CANARY)
    night(world, 1)
    world.production.desired = dataclasses.replace(world.production.desired, image="busybox")
    world.production.drifted = [CHANGE]
    assert night(world, 2).verdict is Verdict.VERIFIED
    assert {stage for _, stage in stages(world)} == {Stage.WHOLE}


def test_what_stands_beside_a_live_release_leaves(world: FakeWorld) -> None:
    """A correction that breaks leaves nothing beside the live release either."""
    on_kubernetes(world, BLUE_GREEN)
    night(world, 1)
    world.production.drifted = [CHANGE]
    world.production.beside = dataclasses.replace(world.production.desired, release_id="r-left")
    world.production.fail_next("apply", Conflict("another manager owns it"))
    assert "still runs" in night(world, 2).settled.message
    assert world.production.beside is None


def test_a_refused_canary_leaves_though_putting_back_conflicts(world: FakeWorld) -> None:
    """A conflict on the live release's objects does not leave users with a side that was refused."""
    on_kubernetes(world, BLUE_GREEN)
    first, second = live_and_next(world)
    world.answers_in_production[second] = ("9",) * len(LABELS)
    original, owned = world.production.client, Conflict("kubectl-edit owns spec.replicas")

    def client(side):  # type: ignore[no-untyped-def]
        world.production.fail_next("apply", owned)
        return original(side)

    world.production.client = client  # type: ignore[method-assign]
    found = night(world, 2)
    assert f"production was left as it is, with {first}" in found.settled.message
    assert (found.verdict, world.production.beside) == (Verdict.REJECTED, None)


def test_an_app_that_was_there_before_this_ledger_stays(world: FakeWorld) -> None:
    """With a fresh ledger over a running app, a first night that fails does not take the app away."""
    release = next_id(world)
    world.production.desired = DesiredState(release, "digits@sha256:1", {}, {})
    world.production.script(release, FAILED)
    assert f"({release}) was left alone" in night(world, 1).settled.message
    assert (world.production.calls["withdraw"], world.production.running()) == (0, release)
