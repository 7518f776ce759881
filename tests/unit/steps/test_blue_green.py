import asyncio
import dataclasses

import pytest

from nocturne.domain.errors import Broken
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import Phase, Side, Stage
from nocturne.steps.end_stage import end_stage
from nocturne.steps.perform import perform
from nocturne.steps.roll_out import Started, start_roll_out, wait_for_roll_out
from nocturne.steps.settle import Verdict
from tests.fakes.cluster import COMPLETE, FAILED, PROGRESSING
from tests.fakes.world import LABELS, FakeWorld
from tests.unit.steps.nights import PREPARING, night, roll, rollback, run_of
from tests.unit.steps.strategies import BLUE_GREEN, live_and_next, on_kubernetes, stages


@pytest.fixture
def pair(world: FakeWorld) -> tuple[str, str]:
    """A live release and the next one, where blue-green is the strategy."""
    on_kubernetes(world, BLUE_GREEN)
    return live_and_next(world)


def test_asked_on_its_own_before_the_switch(world: FakeWorld, pair: tuple[str, str]) -> None:
    """The new side is made ready, asked, and only then given to all users."""
    first, second = pair
    assert night(world, 2).verdict is Verdict.VERIFIED
    assert stages(world) == [(first, Stage.WHOLE), (second, Stage.BESIDE), (second, Stage.WHOLE)]
    assert world.clients.calls[f"{world.production.address(Side.NEW)} POST /score"] > 1
    assert f"{second} answers rightly beside the live one" in "\n".join(world.lines)


def test_wrong_answers_beside_never_reach_users(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A new side that answers wrongly is rejected before the switch: production is as it was, and what was beside it is gone."""
    first, second = pair
    world.answers_in_production[second] = ("9",) * len(LABELS)
    found = night(world, 2)
    assert (found.verdict, found.failed) == (Verdict.REJECTED, ("roll_out",))
    assert "does not do well beside the live release in production" in str(found.error)
    assert "4 of 4 answers that differ" in str(found.error)
    assert (second, Stage.WHOLE) not in stages(world)
    assert world.production.running() == first
    assert world.production.beside is None
    assert world.ledger.find_deployment(run_of(2).id, "production", Cause.NIGHT).state is DeploymentState.REJECTED
    assert [item.id for item in world.ledger.quarantined()] == [second]


def test_a_side_that_never_gets_ready(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A new side that fails is rejected, nobody is sent to it, and it is removed at once."""
    first, second = pair
    world.production.script(second, PROGRESSING, FAILED, stage=Stage.BESIDE)
    assert night(world, 2).verdict is Verdict.REJECTED
    assert world.production.running() == first
    assert f"removed Deployment of {second}" in world.lines


def test_what_a_failure_left_cannot_be_removed(world: FakeWorld, pair: tuple[str, str]) -> None:
    """The verdict stands and says what was left: users have the right release, so nothing holds the lease."""
    first, second = pair
    world.production.script(second, FAILED, stage=Stage.BESIDE)
    world.production.fail_next("retire", Broken("the API server is away"))
    found = night(world, 2)
    assert found.verdict is Verdict.REJECTED
    assert "could not be removed, the next one removes it: the API server is away" in found.settled.message
    assert world.production.running() == first
    assert world.ledger.leased("production") is None


def test_a_side_that_crashes_while_it_is_asked(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A side without an answer is the release's fault where its containers ended, and the message has both."""
    _, second = pair
    world.clients.stop(world.production.address(Side.NEW))
    world.production.afterwards(
        second, dataclasses.replace(COMPLETE, phase=Phase.PROGRESSING, restarts=2, message="exit code 139"), stage=Stage.BESIDE
    )
    found = night(world, 2)
    assert found.verdict is Verdict.REJECTED
    assert "nothing answers at" in str(found.error)
    assert "started again, 2 times: exit code 139" in str(found.error)


def test_a_side_that_cannot_be_reached(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A side that is ready but out of reach is broken, and the release is not in quarantine."""
    world.clients.stop(world.production.address(Side.NEW))
    found = night(world, 2)
    assert (found.verdict, world.ledger.quarantined()) == (Verdict.BROKEN, [])
    assert world.production.running() == pair[0]


def test_a_side_that_answers_but_does_not_stay(world: FakeWorld, pair: tuple[str, str]) -> None:
    """Right answers do not help a side whose containers end meanwhile."""
    _, second = pair
    world.production.afterwards(second, dataclasses.replace(COMPLETE, restarts=1, message="out of memory"), stage=Stage.BESIDE)
    assert "started again, 1 times: out of memory" in str(night(world, 2).error)


def test_killed_between_two_stages(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A retry begins with the first stage that is still needed, and ends in the same place with one deployment."""
    _, second = pair
    release = prepared(world)
    started = start_roll_out(world, run_of(2), release, Cause.NIGHT)
    assert isinstance(started, Started)
    assert started.desired.stage is Stage.BESIDE
    watched(world, started)
    end_stage(world, run_of(2), release, Cause.NIGHT, Stage.BESIDE, COMPLETE)  # and killed before it could wait
    assert "rolled out" in perform(lambda *about: roll(*about, Cause.NIGHT), world, run_of(2), second).message
    assert [state for state in stages(world) if state[0] == second] == [(second, Stage.BESIDE), (second, Stage.WHOLE)]
    deployment = world.ledger.find_deployment(run_of(2).id, "production", Cause.NIGHT)
    assert [state for _, state, _ in world.ledger.events(deployment.id)] == ["planned", "rolling out", "verifying"]


def test_the_lease_outlasts_all_stages(world: FakeWorld, pair: tuple[str, str]) -> None:
    """Both stages, what is asked between them and the verification fit into the lease; a retry is looked at for as long."""
    release = prepared(world)
    began = world.clock.now()
    first = start_roll_out(world, run_of(2), release, Cause.NIGHT)
    world.clock.advance(500)
    again = start_roll_out(world, run_of(2), release, Cause.NIGHT)
    assert (again.deadline - first.deadline).total_seconds() == 500
    watched(world, again)
    assert (first.deadline - began).total_seconds() == 600
    whole = end_stage(world, run_of(2), release, Cause.NIGHT, Stage.BESIDE, COMPLETE)
    assert (whole.deadline - began).total_seconds() == 500 + 600 + 1
    assert world.ledger.leased("production").expires_at > whole.deadline.isoformat()


def watched(world: FakeWorld, started: Started) -> None:
    """What the triggerer does."""
    asyncio.run(wait_for_roll_out(world, "production", started.desired, started.deadline))


def prepared(world: FakeWorld):  # type: ignore[no-untyped-def]
    from nocturne.steps.freeze_inputs import Wish, freeze_inputs

    release_id = freeze_inputs(world, run_of(2), Wish()).plan.release_id
    for call in PREPARING.values():
        perform(call, world, run_of(2), release_id)
    return world.ledger.release(release_id)


def test_a_rollback_stands_beside_too(world: FakeWorld, pair: tuple[str, str]) -> None:
    """Going back takes the same two stages, so that users see no gap."""
    first, _ = pair
    night(world, 2)
    assert rollback(world, 1).verdict is Verdict.VERIFIED
    assert stages(world)[-2:] == [(first, Stage.BESIDE), (first, Stage.WHOLE)]


def test_what_is_put_back_is_asked_once_only(world: FakeWorld, pair: tuple[str, str]) -> None:
    """After a bad switch users wait: what comes back is asked beside the bad release without the usual seconds."""
    first, second = pair
    asked: list[str] = []
    world.production.script(second, COMPLETE)
    world.production.afterwards(second, FAILED, stage=Stage.WHOLE)
    original = world.production.client

    def client(side: Side):  # type: ignore[no-untyped-def]
        asked.append(str(world.production.beside.release_id))
        return original(side)

    world.production.client = client  # type: ignore[method-assign]
    before = world.clients.calls[f"{world.production.address(Side.NEW)} GET /version"]
    assert night(world, 2).verdict is Verdict.REJECTED
    probes = world.clients.calls[f"{world.production.address(Side.NEW)} GET /version"] - before
    assert asked == [second, first]
    assert probes == 11 + 1  # a second of the new one's, every 0.1 s, and one of the restored
    assert world.production.running() == first
