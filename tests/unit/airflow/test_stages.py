import asyncio
import dataclasses
import json
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException, TaskDeferred

from nocturne.airflow import trigger
from nocturne.airflow.operators.retire import RetireOperator
from nocturne.airflow.operators.roll_out import RollOutOperator
from nocturne.airflow.trigger import RollOutTrigger, event_of, rollout_in
from nocturne.domain.errors import Broken
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import Phase, Rollout, Stage, Traffic
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.perform import perform
from tests.fakes.clock import NIGHT
from tests.fakes.cluster import FAILED
from tests.fakes.world import FakeWorld
from tests.unit.airflow.conftest import context_of
from tests.unit.steps.nights import PREPARING, night, run_of
from tests.unit.steps.strategies import BLUE_GREEN, CANARY, live_and_next, on_kubernetes, stages, users_ask


def prepared(world: FakeWorld, strategy: str) -> str:
    """A release that only has to be rolled out, beside a live one."""
    on_kubernetes(world, strategy)
    _, second = live_and_next(world)
    freeze_inputs(world, run_of(2), Wish())
    for call in PREPARING.values():
        perform(call, world, run_of(2), second)
    return second


def roll_out_of(release_id: str) -> RollOutOperator:
    return RollOutOperator(task_id="roll_out", cause="night", environment="production", release_id=release_id)


def deferred(call: Any, *arguments: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        call(*arguments)
    return caught.value


def fired(found: RollOutTrigger, world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The event of a trigger that a triggerer took over from what is stored of it."""
    path, arguments = found.serialize()
    assert path == "nocturne.airflow.trigger.RollOutTrigger"
    monkeypatch.setattr(trigger, "deployed_world", lambda log: world)
    again = RollOutTrigger(**json.loads(json.dumps(arguments)))

    async def first() -> dict[str, Any]:
        async for event in again.run():
            return dict(event.payload)
        raise AssertionError("no event")

    return dict(json.loads(json.dumps(asyncio.run(first()))))


@pytest.mark.parametrize(("strategy", "first"), [(BLUE_GREEN, Stage.BESIDE), (CANARY, Stage.SHARE)])
def test_it_defers_once_a_stage(world: FakeWorld, monkeypatch: pytest.MonkeyPatch, strategy: str, first: Stage) -> None:
    """Each stage is waited for in the triggerer, and the task goes on where the event says."""
    second = prepared(world, strategy)
    users_ask(world, Traffic(500, 0), Traffic(500, 0))
    task, context = roll_out_of(second), context_of(2)
    waiting = deferred(task.execute, context)
    assert (waiting.trigger.stage, waiting.method_name) == (first, "complete")
    waiting = deferred(task.complete, context, fired(waiting.trigger, world, monkeypatch))
    assert waiting.trigger.stage is Stage.WHOLE
    assert "rolled out to production" in task.complete(context, fired(waiting.trigger, world, monkeypatch))
    assert stages(world)[1:] == [(second, first), (second, Stage.WHOLE)]


def test_a_worker_that_was_killed_after_a_stage(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The retry starts over, finds the stage complete, and ends in the same place."""
    second = prepared(world, BLUE_GREEN)
    task = roll_out_of(second)
    fired(deferred(task.execute, context_of(2)).trigger, world, monkeypatch)
    again = deferred(task.execute, context_of(2))
    assert again.trigger.stage is Stage.BESIDE
    deferred(task.complete, context_of(2), fired(again.trigger, world, monkeypatch))
    assert stages(world)[1:] == [(second, Stage.BESIDE), (second, Stage.WHOLE)]


def test_inconclusive_is_not_tried_again(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow ends the task at once: users do not come sooner for another try."""
    second = prepared(world, CANARY)
    users_ask(world, Traffic(1, 0), Traffic(500, 0))
    task, context = roll_out_of(second), context_of(2)
    event = fired(deferred(task.execute, context).trigger, world, monkeypatch)
    with pytest.raises(AirflowFailException, match="inconclusive"):
        task.complete(context, event)
    assert context["ti"].left["error"] == "Inconclusive"
    assert world.ledger.find_deployment(run_of(2).id, "production", Cause.NIGHT).state is DeploymentState.BROKEN


def test_what_is_blameless_is_tried_again(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event keeps whose fault it was."""
    second = prepared(world, BLUE_GREEN)
    world.production.script(second, dataclasses.replace(FAILED, blameless=True))
    task, context = roll_out_of(second), context_of(2)
    event = fired(deferred(task.execute, context).trigger, world, monkeypatch)
    with pytest.raises(AirflowException, match="could not be carried out") as raised:
        task.complete(context, event)
    assert not isinstance(raised.value, AirflowFailException)


def test_a_trigger_of_an_earlier_version() -> None:
    """What was stored before there were stages is the whole rollout."""
    arguments = ("r-1", "production", "night", "nightly_release/1", "schedule", NIGHT.isoformat())
    assert RollOutTrigger(*arguments).stage is Stage.WHOLE
    old = {"phase": "complete", "ready": 2, "wanted": 2, "message": "2 of 2", "seen": True}
    assert rollout_in(old) == Rollout(Phase.COMPLETE, 2, 2, "2 of 2")


@pytest.mark.parametrize("look", [None, Rollout(Phase.FAILED, 1, 2, "no room", seen=False, blameless=True, restarts=3)])
def test_an_event_keeps_everything(look: Rollout | None) -> None:
    """A look survives the way through Airflow's database."""
    assert rollout_in(json.loads(json.dumps(event_of(look)))) == look


def test_an_event_that_tells_why_there_was_no_look() -> None:
    """It is broken, with the reason."""
    with pytest.raises(Broken, match="the ledger is away"):
        rollout_in({"phase": None, "broken": "the ledger is away"})


def retire_of(release_id: str | None) -> RetireOperator:
    return RetireOperator(task_id="retire", cause="night", environment="production", release_id=release_id)


def test_retiring_waits_without_a_worker(world: FakeWorld) -> None:
    """The previous release is kept for the configured time by a trigger, then removed."""
    on_kubernetes(world, BLUE_GREEN.replace("60", "3600"))
    world.clock.advance((_now() - world.clock.now()).total_seconds())
    first, second = live_and_next(world)
    night(world, 2)
    task, context = retire_of(second), context_of(2)
    waiting = deferred(task.execute, context)
    assert (waiting.trigger.moment - _now()).total_seconds() == pytest.approx(3600, abs=60)
    assert task.complete(context, waiting.trigger.moment) == f"removed Deployment of {first}"


def _now():  # type: ignore[no-untyped-def]
    from datetime import UTC, datetime

    return datetime.now(UTC)


def test_retiring_at_once_where_nothing_is_kept(world: FakeWorld) -> None:
    """Without a time to wait for the task does it in one go, and is skipped where there is nothing."""
    on_kubernetes(world)
    first = str(night(world, 1).release_id)
    with pytest.raises(AirflowSkipException, match=f"nothing that {first} made superfluous"):
        retire_of(first).execute(context_of(1))


@pytest.mark.parametrize("release_id", [None, ""])
def test_a_run_without_a_release_retires_nothing(world: FakeWorld, release_id: str | None) -> None:
    """A run that failed while freezing has nothing to remove."""
    with pytest.raises(AirflowSkipException):
        retire_of(release_id).execute(context_of(1))
