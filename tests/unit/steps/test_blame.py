import dataclasses

import pytest

from nocturne.domain.errors import Broken, Rejected
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.ports.cluster import Phase, Rollout, Traffic
from nocturne.steps.perform import perform
from nocturne.steps.settle import Verdict
from nocturne.steps.verify_release import verify_release
from tests.fakes.cluster import COMPLETE, FAILED, PROGRESSING
from tests.fakes.world import FakeWorld
from tests.unit.steps.nights import night, roll, run_of
from tests.unit.steps.strategies import live_and_next

NO_ROOM = dataclasses.replace(FAILED, blameless=True, message="0/1 nodes are available: 1 Insufficient memory")
CRASHED = Rollout(Phase.PROGRESSING, 1, 2, "pod digits-1 ended with exit code 1: out of luck", restarts=2)


def deployment(world: FakeWorld):  # type: ignore[no-untyped-def]
    return world.ledger.find_deployment(run_of(2).id, "production", Cause.NIGHT)


def test_no_room_is_no_rejection(world: FakeWorld) -> None:
    """A rollout that something else is in the way of is broken with that reason, and the release is not in quarantine."""
    first, second_id = live_and_next(world)
    world.production.script(second_id, PROGRESSING, NO_ROOM)
    second = night(world, 2)
    assert (second.verdict, world.production.running()) == (Verdict.BROKEN, first)
    assert "could not be carried out: 0/1 nodes are available: 1 Insufficient memory" in str(second.error)
    assert (deployment(world).state, world.ledger.quarantined()) == (DeploymentState.BROKEN, [])
    assert "Insufficient memory" in deployment(world).reason
    assert world.ledger.release(second_id).state is ReleaseState.CANDIDATE


def test_a_retry_takes_a_blameless_failure_up_again(world: FakeWorld) -> None:
    """Once there is room, the step's retry ends the same deployment."""
    _, second_id = live_and_next(world)
    world.production.script(second_id, NO_ROOM)
    prepare(world, second_id)
    with pytest.raises(Broken):
        perform(lambda *about: roll(*about, Cause.NIGHT), world, run_of(2), second_id)
    world.production.script(second_id, COMPLETE)
    perform(lambda *about: roll(*about, Cause.NIGHT), world, run_of(2), second_id)
    assert deployment(world).state is DeploymentState.VERIFYING


def prepare(world: FakeWorld, release_id: str) -> None:
    from nocturne.steps.freeze_inputs import Wish, freeze_inputs
    from tests.unit.steps.nights import PREPARING

    assert freeze_inputs(world, run_of(2), Wish()).plan.release_id == release_id
    for call in PREPARING.values():
        perform(call, world, run_of(2), release_id)


def test_late_without_blame(world: FakeWorld) -> None:
    """At the deadline too it matters what was in the way."""
    from nocturne.ports.cluster import Stage
    from nocturne.steps.end_stage import end_stage
    from nocturne.steps.roll_out import start_roll_out

    _, second_id = live_and_next(world)
    prepare(world, second_id)
    release = world.ledger.release(second_id)
    start_roll_out(world, run_of(2), release, Cause.NIGHT)
    late = dataclasses.replace(NO_ROOM, phase=Phase.PROGRESSING)
    with pytest.raises(Broken, match="not complete after 600 s: 0/1 nodes"):
        end_stage(world, run_of(2), release, Cause.NIGHT, Stage.WHOLE, late)


def test_ready_then_a_crash_loop(world: FakeWorld) -> None:
    """A release that answers rightly, and whose containers end while it is verified, is rejected with number and reason."""
    first, second_id = live_and_next(world)
    world.production.afterwards(second_id, COMPLETE, CRASHED)
    second = night(world, 2)
    assert (second.verdict, second.failed) == (Verdict.REJECTED, ("verify_release",))
    assert "its containers ended and were started again, 2 times: pod digits-1 ended with exit code 1" in str(second.error)
    assert world.production.running() == first


@pytest.mark.parametrize(("look", "verdict"), [(CRASHED, Verdict.REJECTED), (COMPLETE, Verdict.BROKEN)])
def test_nobody_answers_while_it_is_verified(world: FakeWorld, look: Rollout, verdict: Verdict) -> None:
    """Where its containers have ended, a release that does not answer is to blame itself; else the way to it is."""
    first, second_id = live_and_next(world)
    world.production.afterwards(second_id, COMPLETE, look)
    answer = world.clients.answer

    def nobody(url, request, body):  # type: ignore[no-untyped-def]
        if url == world.production.url and world.production.running() == second_id:
            raise Broken(f"nothing answers at {url}")
        return answer(url, request, body)

    world.clients.answer = nobody  # type: ignore[method-assign]
    second = night(world, 2)
    assert (second.verdict, second.failed, world.production.running()) == (verdict, ("verify_release",), first)
    assert "nothing answers at" in str(second.error)
    assert ("out of luck" in str(second.error)) is (verdict is Verdict.REJECTED)


def test_not_complete_any_more(world: FakeWorld) -> None:
    """A rollout that failed after it was complete is a fault with its message."""
    _, second_id = live_and_next(world)
    world.production.afterwards(second_id, dataclasses.replace(FAILED, message="pod digits-2 stopped being ready 3 times"))
    assert "not complete any more: pod digits-2 stopped being ready 3 times" in str(night(world, 2).error)


def test_a_replica_that_somebody_adds(world: FakeWorld) -> None:
    """A release whose replicas are added to or replaced while it is verified is waited for, and is verified."""
    _, second_id = live_and_next(world)
    added = dataclasses.replace(PROGRESSING, ready=2, wanted=3, message="2 of 3 replicas ready")
    world.production.afterwards(second_id, COMPLETE, added, added, COMPLETE)
    assert night(world, 2).verdict is Verdict.VERIFIED


def test_a_replica_that_does_not_come(world: FakeWorld) -> None:
    """A release that is still on its way after some minutes is broken, not rejected: nothing of it has failed."""
    _, second_id = live_and_next(world)
    world.production.afterwards(second_id, COMPLETE, dataclasses.replace(PROGRESSING, message="2 of 3 replicas ready"))
    second = night(world, 2)
    assert (second.verdict, world.ledger.quarantined()) == (Verdict.BROKEN, [])
    assert "not complete any more: 2 of 3 replicas ready" in str(second.error)


def test_a_node_that_leaves_is_no_fault(world: FakeWorld) -> None:
    """A rollout that came apart for want of room is broken: the release answered rightly."""
    _, second_id = live_and_next(world)
    world.production.afterwards(second_id, dataclasses.replace(NO_ROOM, phase=Phase.PROGRESSING))
    second = night(world, 2)
    assert (second.verdict, world.ledger.quarantined()) == (Verdict.BROKEN, [])


def test_a_cluster_that_is_away_for_the_last_look(world: FakeWorld) -> None:
    """Without a look nothing is verified, and nothing rejected."""
    _, second_id = live_and_next(world)
    unseen = dataclasses.replace(PROGRESSING, seen=False, message="the API server does not answer")
    prepare(world, second_id)
    perform(lambda *about: roll(*about, Cause.NIGHT), world, run_of(2), second_id)
    world.production.script(second_id, unseen)
    with pytest.raises(Broken, match="the API server does not answer"):
        perform(lambda *about: verify_release(*about, Cause.NIGHT), world, run_of(2), second_id)
    world.production.script(second_id, COMPLETE)
    perform(lambda *about: verify_release(*about, Cause.NIGHT), world, run_of(2), second_id)
    assert deployment(world).state is DeploymentState.VERIFIED


def stale(world: FakeWorld, seconds: float, found: object) -> None:
    """For so long after the rollout the public address answers `/version` with this."""
    answer = world.clients.answer
    since: list[float] = []

    def late(url, request, body):  # type: ignore[no-untyped-def]
        new = deployment(world)
        if url == world.production.url and request == "GET /version" and new and new.state is DeploymentState.VERIFYING:
            since.append(world.clock.now().timestamp())
            if since[-1] - since[0] < seconds:
                return dataclasses.replace(answer(url, request, body), body=found, status=200 if found else 502)
        return answer(url, request, body)

    world.clients.answer = late  # type: ignore[method-assign]


def test_the_switch_takes_a_moment(world: FakeWorld) -> None:
    """An address that answers as the previous release for some seconds is waited for, over a new connection each time."""
    first, _ = live_and_next(world)
    stale(world, 10, {"release": first})
    opened = world.clients.calls["open"]
    assert night(world, 2).verdict is Verdict.VERIFIED
    assert f"still answers as {first}, waiting for" in "\n".join(world.lines)
    assert world.clients.calls["open"] - opened > 20


def test_a_switch_that_never_comes(world: FakeWorld) -> None:
    """After half a minute the other release's answer is a fault."""
    first, _ = live_and_next(world)
    stale(world, 60, {"release": first})
    second = night(world, 2)
    assert second.verdict is Verdict.REJECTED
    assert f"GET /version says ('{first}', None)" in str(second.error)


@pytest.mark.parametrize(("found", "told"), [(None, "answered 502"), ({"detail": "?"}, "says (None, None)")])
def test_only_another_release_is_waited_for(world: FakeWorld, found: object, told: str) -> None:
    """An error, or a body that names no release, is a fault at once."""
    live_and_next(world)
    stale(world, 5, found)
    began = world.clock.now()
    second = night(world, 2)
    assert isinstance(second.error, Rejected)
    assert told in str(second.error)
    assert (world.clock.now() - began).total_seconds() < 5


def test_what_users_lose_during_the_switch_counts(world: FakeWorld) -> None:
    """Requests are counted from before the address is asked first."""
    first, _ = live_and_next(world)
    stale(world, 3, {"release": first})
    counts = iter([Traffic(100, 0), Traffic(400, 1), Traffic(400, 1), Traffic(500, 1)])
    world.production.traffic = lambda: {"front door": next(counts)}  # type: ignore[method-assign]
    assert "1 of 300 requests at the front door failed" in str(night(world, 2).error)
