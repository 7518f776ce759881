from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from nocturne.airflow.operators import settle as operators
from nocturne.airflow.operators.retire import RetireOperator
from nocturne.airflow.operators.roll_out import RollOutOperator
from nocturne.airflow.operators.settle import SettleOperator
from nocturne.steps.settle import Verdict
from tests.fakes.world import FakeWorld
from tests.unit.airflow.conftest import Task, context_of


class Told(Task):
    """Also knows how the run's tasks ended, and what each left."""

    def __init__(self, states: dict[str, str], errors: dict[str, str]) -> None:
        super().__init__()
        self._states, self._errors = states, errors

    def get_task_states(self, dag_id: str, run_ids: list[str]) -> Any:
        return {run_ids[0]: self._states}

    def xcom_pull(self, task_ids: str, key: str) -> str | None:
        return self._errors.get(task_ids) if key == "error" else f"{task_ids} said so"


def settled(world: FakeWorld, monkeypatch: pytest.MonkeyPatch, states: dict[str, str], error: str) -> tuple[Any, str | None]:
    """What settle leaves for others, and the message with which it failed, for a run whose tasks ended so."""
    monkeypatch.setattr(operators, "deployed_world", lambda: world)
    about: dict[str, Any] = {"cause": "night", "environment": "production", "release_id": "r-1"}
    with DAG("nightly_release", schedule=None) as dag:
        settle = SettleOperator(task_id="settle", **about)
        RollOutOperator(task_id="roll_out", **about) >> settle >> RetireOperator(task_id="retire", **about).as_teardown()
    task = Told(states, dict.fromkeys(states, error))
    context = context_of(1) | {"ti": task, "dag": SimpleNamespace(dag_id=dag.dag_id), "task": settle}
    try:
        settle.execute(context)
    except AirflowFailException as failure:
        return task.left, str(failure)
    return task.left, None


def test_inconclusive_makes_the_run_red(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verdict is its own, and no success."""
    left, failure = settled(world, monkeypatch, {"roll_out": "failed"}, "Inconclusive")
    assert left["verdict"]["verdict"] == Verdict.INCONCLUSIVE
    assert failure is not None
    assert failure.startswith("INCONCLUSIVE: r-1 was not shipped: roll_out: roll_out said so")


def test_unclear_is_inconclusive_and_promises_nothing(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict is the same as for a canary without users, but another run would not help."""
    left, failure = settled(world, monkeypatch, {"roll_out": "failed"}, "Unclear")
    assert left["verdict"]["verdict"] == Verdict.INCONCLUSIVE
    assert failure is not None
    assert "the next run tries again" not in failure


def test_what_comes_after_the_verdict_is_no_part_of_it(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settle that is cleared and run again does not count a failure of the task after it."""
    left, failure = settled(world, monkeypatch, {"roll_out": "skipped", "retire": "failed"}, "Broken")
    assert (left["verdict"]["verdict"], failure) == (Verdict.UNCHANGED, None)
