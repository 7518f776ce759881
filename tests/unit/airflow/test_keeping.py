import contextlib
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from nocturne.airflow.operators import approve, prepare
from nocturne.airflow.operators.approve import ApproveOperator
from nocturne.airflow.operators.prepare import STEPS, PrepareOperator
from nocturne.airflow.outcome import ERROR
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.keep_model import release_of
from tests.fakes.world import FakeWorld
from tests.unit.airflow.conftest import context_of
from tests.unit.steps.nights import night, run_of
from tests.unit.steps.test_keep_model import FILES, KEEPING, NEW_MODEL, new_code_and_bad_model

ABOUT: dict[str, Any] = {"environment": "production"}


@pytest.fixture
def frozen(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> str:
    """A release of new code with a bad model, beside a live one."""
    for module in (prepare, approve):
        monkeypatch.setattr(module, "deployed_world", lambda: world)
    world.push(release_toml=KEEPING)
    night(world, 1)
    new_code_and_bad_model(world)
    return freeze_inputs(world, run_of(2), Wish()).plan.release_id


def test_each_task_is_told_the_frozen_release_and_works_on_the_other(world: FakeWorld, frozen: str) -> None:
    """No task hands anything on but the ledger, so that a skipped or killed one loses nothing."""
    for name in STEPS:
        with contextlib.suppress(AirflowSkipException):
            PrepareOperator(task_id=name, release_id=frozen, **ABOUT).execute(context_of(2))
    shipped = release_of(world, run_of(2), frozen)
    assert shipped.id != frozen
    assert shipped.image
    assert world.ledger.release(frozen).image == ""


def test_a_named_model_is_not_replaced(world: FakeWorld, frozen: str) -> None:
    """The run's parameter names the version: its refusal fails the task."""
    with pytest.raises(AirflowFailException, match="REJECTED: model v2"):
        PrepareOperator(task_id="judge_model", release_id=frozen, **ABOUT).execute(
            context_of(2) | {"params": {"model_version": "v2"}}
        )


def test_the_question_names_what_would_ship(world: FakeWorld, frozen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who approves sees the release that goes on, and that it keeps a model."""
    PrepareOperator(task_id="judge_model", release_id=frozen, **ABOUT).execute(context_of(2))
    monkeypatch.setattr(approve.ApprovalOperator, "execute", lambda self, context: None)
    with DAG("nightly_release", schedule=None):
        task = ApproveOperator(task_id="approve", asked=True, release_id=frozen, **ABOUT)
    task.execute(context_of(2))
    assert task.subject == f"Ship {release_of(world, run_of(2), frozen).id} to production?"
    assert "Mind that it keeps model v1" in str(task.body)


def test_unclear_is_not_tried_again(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow ends the task at once: the same golden set says the same again."""
    monkeypatch.setattr(prepare, "deployed_world", lambda: world)
    night(world, 1)
    world.models.add("v2", FILES)
    world.evaluates(0.75, model=NEW_MODEL)
    context, release_id = context_of(2), freeze_inputs(world, run_of(2), Wish()).plan.release_id
    with pytest.raises(AirflowFailException, match="inconclusive: model v2"):
        PrepareOperator(task_id="judge_model", release_id=release_id, **ABOUT).execute(context)
    assert context["ti"].left[ERROR] == "Unclear"
