import pytest

from nocturne.domain.errors import Broken, NotFound
from nocturne.domain.records import Cause
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.perform import perform
from nocturne.steps.roll_out import start_roll_out
from nocturne.steps.settle import Verdict
from tests.fakes.cluster import FAILED
from tests.fakes.world import FakeWorld
from tests.unit.steps.nights import PREPARING, night, rollback, run_of, two_nights


def test_rollback(world: FakeWorld) -> None:
    """A rollback puts the last verified release that is not live back, verified, and holds the nights after it."""
    first, _ = two_nights(world)
    night(world, 2)
    assert rollback(world, 1).verdict is Verdict.VERIFIED
    assert world.production.running() == first
    third = night(world, 3)
    assert third.outcomes["roll_out"].skipped
    assert "held by ada" in third.outcomes["roll_out"].message
    assert "it looks odd" in third.outcomes["roll_out"].message
    assert (third.verdict, world.production.running()) == (Verdict.UNCHANGED, first)
    world.ledger.resume("production", "ada")
    assert night(world, 4).verdict is Verdict.VERIFIED
    assert world.production.running() != first


def test_rollback_to_a_named_release(world: FakeWorld) -> None:
    """A rollback goes to the release that is named, however long ago it was live."""
    first = str(night(world, 1).release_id)
    for number in (2, 3):
        world.push()
        night(world, number)
    rollback(world, 1, to=first)
    assert world.production.running() == first


def test_rolling_back_twice_goes_further_back(world: FakeWorld) -> None:
    """The second rollback does not return to the release that the first one left."""
    first = str(night(world, 1).release_id)
    for number in (2, 3):
        world.push()
        night(world, number)
    rollback(world, 1)
    rollback(world, 2)
    assert world.production.running() == first


def test_rollback_with_nowhere_to_go(world: FakeWorld) -> None:
    """Without an earlier verified release a rollback is refused before it sets a hold."""
    night(world, 1)
    with pytest.raises(NotFound, match="no verified release to go back to"):
        rollback(world, 1)
    assert world.ledger.held("production") is None


def test_a_rollback_that_fails_puts_back_what_was_live(world: FakeWorld) -> None:
    """When the older release does not come up any more, what was live before the rollback is live again; nothing is refused."""
    first, _ = two_nights(world)
    second = night(world, 2).release_id
    world.production.script(first, FAILED)
    assert rollback(world, 1).verdict is Verdict.BROKEN
    assert (world.production.running(), world.ledger.quarantined()) == (second, [])


def test_a_release_that_could_not_be_taken_back(world: FakeWorld) -> None:
    """Where users get a release that was never verified, the live one comes back, not the one before it."""
    two_nights(world)
    live = night(world, 2).release_id
    world.push()
    run = run_of(3)
    stuck = str(freeze_inputs(world, run, Wish()).plan.release_id)
    for call in PREPARING.values():
        perform(call, world, run, stuck)
    start_roll_out(world, run, world.ledger.release(stuck), Cause.NIGHT)
    assert world.production.running() == stuck
    world.ledger.release_lease("production", run.id)
    assert rollback(world, 1).verdict is Verdict.VERIFIED
    assert world.production.running() == live


def test_an_app_that_was_taken_away(world: FakeWorld) -> None:
    """Where nothing runs any more, the live release comes back."""
    live = night(world, 1).release_id
    world.production.withdraw()
    assert rollback(world, 1).verdict is Verdict.VERIFIED
    assert world.production.running() == live


def test_a_cluster_that_cannot_be_asked(world: FakeWorld) -> None:
    """Without knowing what users get nothing is chosen, and nothing is held."""
    two_nights(world)
    night(world, 2)
    world.production.fail_next("running", Broken("the API server is away"))
    with pytest.raises(Broken, match="away"):
        rollback(world, 1)
    assert world.ledger.held("production") is None
