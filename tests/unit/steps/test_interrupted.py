import pytest

from nocturne.domain.errors import Rejected
from nocturne.domain.records import Cause
from nocturne.ports.cluster import Stage, Traffic
from nocturne.steps.perform import perform
from nocturne.steps.roll_out import Started, start_roll_out
from nocturne.steps.settle import Verdict, settle
from nocturne.steps.world import Outcome
from tests.fakes.cluster import FAILED
from tests.fakes.world import FakeWorld
from tests.unit.steps.nights import PREPARING, night, roll, run_of
from tests.unit.steps.strategies import CANARY, live_and_next, on_kubernetes, stages, users_ask


def prepared(world: FakeWorld) -> tuple[str, str]:
    """A live release, and one that only has to be rolled out by the second night."""
    from nocturne.steps.freeze_inputs import Wish, freeze_inputs

    first, second = live_and_next(world)
    freeze_inputs(world, run_of(2), Wish())
    for call in PREPARING.values():
        perform(call, world, run_of(2), second)
    return first, second


def test_a_hold_does_not_hide_a_rejection(world: FakeWorld) -> None:
    """A retry of a rollout that was refused says so again, though somebody has set a hold meanwhile."""
    _, second = prepared(world)
    world.production.script(second, FAILED)
    for _ in range(2):
        with pytest.raises(Rejected, match="never got ready"):
            perform(lambda *about: roll(*about, Cause.NIGHT), world, run_of(2), second)
        world.ledger.hold("production", "ada", "it looks odd")


def test_a_hold_in_the_middle_keeps_the_lease_for_settling(world: FakeWorld) -> None:
    """A retry that finds a hold stops, but what it has begun is taken back before anybody else may deploy."""
    first, second = prepared(world)
    start_roll_out(world, run_of(2), world.ledger.release(second), Cause.NIGHT)
    world.ledger.hold("production", "ada", "it looks odd")
    assert isinstance(start_roll_out(world, run_of(2), world.ledger.release(second), Cause.NIGHT), Outcome)
    assert world.ledger.leased("production").run_id == run_of(2).id
    settled = settle(world, run_of(2), second, Cause.NIGHT, ())
    assert settled.verdict is Verdict.UNCHANGED
    assert (world.production.running(), world.ledger.leased("production")) == (first, None)


@pytest.mark.parametrize("users", [Traffic(500, 0), Traffic(0, 0)])
def test_a_hold_ends_a_comparison(world: FakeWorld, users: Traffic) -> None:
    """Who rolls back does not wait for a canary's time: it leaves at once, and nothing is learned of the release."""
    on_kubernetes(world, CANARY.replace("seconds = 20", "seconds = 3600"))
    first, second = live_and_next(world)
    users_ask(world, users, users)
    sleep, began = world.clock.sleep, world.clock.now()

    def slept(seconds: float) -> None:
        sleep(seconds)
        if (world.clock.now() - began).total_seconds() > 30 and world.ledger.held("production") is None:
            world.ledger.hold("production", "ada", "it looks odd")

    world.clock.sleep = slept  # type: ignore[method-assign]
    found = night(world, 2)
    assert (world.clock.now() - began).total_seconds() < 60
    assert found.outcomes["roll_out"].skipped
    assert (found.verdict, world.ledger.quarantined()) == (Verdict.UNCHANGED, [])
    assert f"{first} never left production and was verified again: it is held by ada" in found.settled.message
    assert (world.production.running(), world.production.beside) == (first, None)
    assert (second, Stage.WHOLE) not in stages(world)


def test_a_retry_after_a_long_comparison_has_the_whole_limit(world: FakeWorld) -> None:
    """However long ago the rollout began, a release is late only when it was looked at for its whole limit."""
    _, second = prepared(world)
    start_roll_out(world, run_of(2), world.ledger.release(second), Cause.NIGHT)
    world.clock.advance(3300)
    again = start_roll_out(world, run_of(2), world.ledger.release(second), Cause.NIGHT)
    assert isinstance(again, Started)
    assert (again.deadline - world.clock.now()).total_seconds() == 600
