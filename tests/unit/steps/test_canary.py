import dataclasses

import pytest

from nocturne.domain.errors import Inconclusive
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.ports.cluster import Side, Stage, Traffic
from nocturne.steps.settle import Verdict
from tests.fakes.cluster import COMPLETE, FAILED
from tests.fakes.world import LABELS, FakeWorld
from tests.unit.steps.nights import night, rollback, run_of
from tests.unit.steps.strategies import CANARY, live_and_next, on_kubernetes, stages, users_ask


@pytest.fixture
def pair(world: FakeWorld) -> tuple[str, str]:
    """A live release and the next one, where a canary is the strategy; users ask enough of both, and nothing fails."""
    on_kubernetes(world, CANARY)
    found = live_and_next(world)
    users_ask(world, Traffic(50, 0), Traffic(200, 0))
    return found


def deployment(world: FakeWorld):  # type: ignore[no-untyped-def]
    return world.ledger.find_deployment(run_of(2).id, "production", Cause.NIGHT)


def test_a_share_first_then_the_rest(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A canary that does as well as the live release for the set time is followed by the rest, and the log has the numbers."""
    first, second = pair
    began = world.clock.now()
    assert night(world, 2).verdict is Verdict.VERIFIED
    assert stages(world) == [(first, Stage.WHOLE), (second, Stage.SHARE), (second, Stage.WHOLE)]
    told = next(line for line in world.lines if "does as well as" in line)
    assert "on 1 of 2 replicas for 20 s: new: 0 of 50 requests of users failed, median latency 1.0 ms" in told
    assert "live: 0 of 200 requests of users failed" in told
    assert (world.clock.now() - began).total_seconds() >= 20


def test_our_own_requests_are_not_users(world: FakeWorld, pair: tuple[str, str]) -> None:
    """However much we ask ourselves, users who were too few stay too few."""
    users_ask(world, Traffic(49, 0), Traffic(200, 0))
    found = night(world, 2)
    assert world.clients.calls[f"{world.production.address(Side.NEW)} POST /score"] > 30
    assert "users sent the new release 49 requests, expected at least 50" in str(found.error)


def test_no_data_is_its_own_verdict(world: FakeWorld, pair: tuple[str, str]) -> None:
    """Without enough users the run is inconclusive: the canary leaves, nothing is in quarantine, and the next night tries again."""
    first, second = pair
    users_ask(world, Traffic(3, 0), Traffic(200, 0))
    found = night(world, 2)
    assert isinstance(found.error, Inconclusive)
    assert (found.verdict, world.production.running(), world.production.beside) == (Verdict.INCONCLUSIVE, first, None)
    assert (deployment(world).state, deployment(world).reason[:13]) == (DeploymentState.BROKEN, "inconclusive:")
    assert world.ledger.quarantined() == []
    assert world.ledger.release(second).state is ReleaseState.CANDIDATE
    assert f"{first} never left production and was verified again; the next run tries again" in found.settled.message
    users_ask(world, Traffic(50, 0), Traffic(200, 0))
    assert night(world, 3).verdict is Verdict.VERIFIED


def test_an_app_without_counters(world: FakeWorld, pair: tuple[str, str]) -> None:
    """An app that does not tell what users asked cannot be compared, and both sides are named."""
    world.production.served = lambda side: None  # type: ignore[method-assign]
    found = night(world, 2)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the new release does not tell" in str(found.error)
    assert "the live release does not tell" in str(found.error)


def test_users_get_more_errors(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A canary that fails more of its users' requests than allowed is rejected with the numbers of both sides."""
    first, second = pair
    users_ask(world, Traffic(100, 5), Traffic(400, 4))
    found = night(world, 2)
    assert found.verdict is Verdict.REJECTED
    assert "5 of 100 requests of users failed (5.00%), expected at most 2.00%" in str(found.error)
    assert world.production.running() == first
    assert [item.id for item in world.ledger.quarantined()] == [second]


def test_a_slow_canary(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A canary that takes too much longer for the same questions is rejected, even where users were too few."""
    users_ask(world, Traffic(0, 0), Traffic(0, 0))
    answer = world.clients.answer

    def slow(url, request, body):  # type: ignore[no-untyped-def]
        found = answer(url, request, body)
        return dataclasses.replace(found, seconds=0.004) if url == world.production.address(Side.NEW) else found

    world.clients.answer = slow  # type: ignore[method-assign]
    found = night(world, 2)
    assert found.verdict is Verdict.REJECTED
    assert "median latency is 4.0 ms, expected at most 1.5 times the live release's 1.0 ms" in str(found.error)


def test_a_live_release_that_refuses_quickly(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A canary that answers is not slow beside a live release that refuses at once: there is nothing to compare its time with."""
    answer = world.clients.answer

    def refusing(url, request, body):  # type: ignore[no-untyped-def]
        found = answer(url, request, body)
        refused = url == world.production.address(Side.LIVE) and request == "POST /score"
        return dataclasses.replace(found, status=503, seconds=0.0001) if refused else found

    world.clients.answer = refusing  # type: ignore[method-assign]
    found = night(world, 2)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the live release gave no right answer whose time could be compared" in str(found.error)


def test_a_live_release_that_is_down(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A live release without a replica serves nobody: a canary that answers rightly is followed by the rest, which is told."""
    _, second = pair
    world.production.down = {Side.LIVE}
    assert night(world, 2).verdict is Verdict.VERIFIED
    assert world.production.running() == second
    assert "the live release has no ready replica, so there is nothing to compare with" in "\n".join(world.lines)


def test_a_wrong_canary_beside_a_live_release_that_is_down(world: FakeWorld, pair: tuple[str, str]) -> None:
    """Its answers must be right all the same."""
    _, second = pair
    world.production.down = {Side.LIVE}
    world.answers_in_production[second] = ("9",) * len(LABELS)
    assert night(world, 2).verdict is Verdict.REJECTED


def test_a_live_release_that_moves(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A live release whose replica is just being replaced is waited for, and compared with."""
    client, tries = world.production.client, []

    def moving(side: Side):  # type: ignore[no-untyped-def]
        tries.append(side)
        world.production.down = {Side.LIVE} if len(tries) < 3 else set()
        return client(side)

    world.production.client = moving  # type: ignore[method-assign]
    assert night(world, 2).verdict is Verdict.VERIFIED
    assert "does as well as the live release" in "\n".join(world.lines)


def test_a_live_replica_that_goes_meanwhile(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A bad canary is not carried by a live release whose counters went with a replica: what users got is not known then."""
    before = {"a/0": Traffic(10000, 0), "b/0": Traffic(10000, 0)}
    after = {"b/0": Traffic(21000, 200)}
    live = iter([before])
    new = iter([{"c/0": Traffic(0, 0)}])

    def served(side: Side):  # type: ignore[no-untyped-def]
        return next(live, after) if side is Side.LIVE else next(new, {"c/0": Traffic(10000, 1500)})

    world.production.served = served  # type: ignore[method-assign]
    found = night(world, 2)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "1 replicas of the live release went, were restarted or could not be asked" in str(found.error)


def test_a_hold_ends_the_comparison(world: FakeWorld, pair: tuple[str, str]) -> None:
    """Who puts an environment on hold does not wait for a comparison to end."""
    ask, began = world.production.client, world.clock.now()

    def holding(side: Side):  # type: ignore[no-untyped-def]
        world.ledger.hold("production", "ada", "stop")
        return ask(side)

    world.production.client = holding  # type: ignore[method-assign]
    night(world, 2)
    assert (world.clock.now() - began).total_seconds() < 15


def test_a_wrong_answer_ends_it_at_once(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A canary that answers wrongly leaves before its time is over."""
    first, second = pair
    world.answers_in_production[second] = ("9",) * len(LABELS)
    began = world.clock.now()
    found = night(world, 2)
    assert "does not do well as a canary in production:\n  - POST /score gave 4 of 4 answers" in str(found.error)
    assert world.production.running() == first
    assert (world.clock.now() - began).total_seconds() < 10


def test_a_canary_that_crashes_meanwhile(world: FakeWorld, pair: tuple[str, str]) -> None:
    """All numbers may be right: containers that end are a fault."""
    _, second = pair
    world.production.afterwards(second, dataclasses.replace(COMPLETE, restarts=1, message="exit code 1"), stage=Stage.SHARE)
    assert "started again, 1 times: exit code 1" in str(night(world, 2).error)


def test_a_canary_that_never_gets_ready(world: FakeWorld, pair: tuple[str, str]) -> None:
    """It is rejected before anything is compared."""
    _, second = pair
    world.production.script(second, FAILED, stage=Stage.SHARE)
    assert night(world, 2).verdict is Verdict.REJECTED
    assert world.production.calls["client"] == 0


def test_the_rest_fails_after_a_good_canary(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A release whose rest does not come up is taken back whole."""
    first, second = pair
    world.production.script(second, FAILED, stage=Stage.WHOLE)
    assert night(world, 2).verdict is Verdict.REJECTED
    assert world.production.running() == first


def test_what_was_verified_before_is_not_compared_again(world: FakeWorld, pair: tuple[str, str]) -> None:
    """A rollback goes to all users at once: it must not need their requests to succeed."""
    first, _ = pair
    night(world, 2)
    users_ask(world, Traffic(0, 0), Traffic(0, 0))
    assert rollback(world, 1).verdict is Verdict.VERIFIED
    assert stages(world)[-1] == (first, Stage.WHOLE)
    assert (first, Stage.SHARE) not in stages(world)


def test_it_is_told_once_in_a_while(world: FakeWorld) -> None:
    """A long comparison says in between how it goes."""
    on_kubernetes(world, CANARY.replace("seconds = 20", "seconds = 100"))
    live_and_next(world)
    users_ask(world, Traffic(50, 0), Traffic(200, 0))
    night(world, 2)
    assert len([line for line in world.lines if line.startswith("comparing until")]) == 3
