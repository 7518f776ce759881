import dataclasses
from datetime import timedelta

import pytest

from nocturne.domain.errors import Broken
from nocturne.domain.records import Cause, Release
from nocturne.ports.cluster import Stage
from nocturne.steps.retire import retire, retire_at
from nocturne.steps.roll_out import take_lease
from nocturne.steps.world import Outcome
from tests.fakes.cluster import FAILED
from tests.fakes.world import FakeWorld
from tests.unit.steps.nights import night, rollback, run_of
from tests.unit.steps.strategies import BLUE_GREEN, live_and_next, on_kubernetes


@pytest.fixture
def pair(world: FakeWorld) -> tuple[Release, Release]:
    """The previous release and the live one, after a switch."""
    on_kubernetes(world, BLUE_GREEN)
    first, second = live_and_next(world)
    night(world, 2)
    return world.ledger.release(first), world.ledger.release(second)


def test_the_previous_release_is_kept_for_a_while(world: FakeWorld, pair: tuple[Release, Release]) -> None:
    """It may go when the configured time has passed since the new one was verified, whenever somebody asks."""
    verified_at = world.clock.now()
    world.clock.advance(30)
    moment = retire_at(world, run_of(2), Cause.NIGHT)
    assert moment == verified_at + timedelta(seconds=60)


def test_it_is_removed_once(world: FakeWorld, pair: tuple[Release, Release]) -> None:
    """What was removed is named; a second try finds nothing, and the lease is given back each time."""
    first, second = pair
    assert retire(world, run_of(2), second, Cause.NIGHT).message == f"removed Deployment of {first.id}"
    assert f"removed Deployment of {first.id}" in world.lines
    again = retire(world, run_of(2), second, Cause.NIGHT)
    assert (again.skipped, world.ledger.leased("production")) == (True, None)


def test_another_run_deploys_meanwhile(world: FakeWorld, pair: tuple[Release, Release]) -> None:
    """The next release removes it then; nobody waits and nothing is removed under the other run."""
    take_lease(world, dataclasses.replace(run_of(3), id="rollback/1"))
    found = retire(world, run_of(2), pair[1], Cause.NIGHT)
    assert found.skipped
    assert "rollback/1" in found.message
    assert world.production.calls["retire"] == 0
    assert world.ledger.leased("production").run_id == "rollback/1"


def test_users_get_another_release_by_then(world: FakeWorld, pair: tuple[Release, Release]) -> None:
    """A rollback in the meantime makes the kept release live: it is not removed."""
    rollback(world, 1)
    assert retire(world, run_of(2), pair[1], Cause.NIGHT).skipped
    assert world.production.running() == pair[0].id


def test_the_cluster_is_away(world: FakeWorld, pair: tuple[Release, Release]) -> None:
    """It is broken and worth a retry, and holds no lease meanwhile."""
    world.production.fail_next("retire", Broken("the API server does not answer"))
    with pytest.raises(Broken):
        retire(world, run_of(2), pair[1], Cause.NIGHT)
    assert world.ledger.leased("production") is None


def test_a_run_that_verified_nothing_removes_nothing(world: FakeWorld) -> None:
    """Settling has cleaned up after it already."""
    on_kubernetes(world, BLUE_GREEN)
    _, second = live_and_next(world)
    world.production.script(second, FAILED, stage=Stage.BESIDE)
    night(world, 2)
    assert retire_at(world, run_of(2), Cause.NIGHT) == Outcome("this run has verified nothing, so it removes nothing", skipped=True)
    assert isinstance(retire_at(world, run_of(9), Cause.NIGHT), Outcome)


def test_nothing_is_kept_without_blue_green(world: FakeWorld) -> None:
    """A rolling update leaves nothing to keep: objects that are no longer wanted go at once."""
    on_kubernetes(world)
    night(world, 1)
    moment = retire_at(world, run_of(1), Cause.NIGHT)
    assert not isinstance(moment, Outcome)
    assert moment <= world.clock.now()


def test_swarm_keeps_nothing(world: FakeWorld) -> None:
    """No lease is taken where there is never anything to remove."""
    night(world, 1)
    assert isinstance(retire_at(world, run_of(1), Cause.NIGHT), Outcome)
