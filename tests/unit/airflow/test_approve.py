from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from nocturne.airflow.operators.approve import ApproveOperator
from nocturne.airflow.outcome import MESSAGE
from tests.unit.airflow.conftest import context_of


def approve(limit: timedelta) -> ApproveOperator:
    with DAG("nightly_release", schedule=None):
        return ApproveOperator(
            task_id="approve", environment="production", asked=True, release_id="r-1", response_timeout=limit, retries=4
        )


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (timedelta(hours=12), "nobody answered within 12 hours"),
        (timedelta(hours=1), "nobody answered within 1 hour"),
        (timedelta(minutes=90), "nobody answered within 1.5 hours"),
    ],
)
def test_nobody_answered(limit: timedelta, expected: str) -> None:
    """The run ends without another try, and the verdict can say why."""
    context = context_of(1)
    # As the scheduler's sweep of Airflow 3.3 resumes the task.
    event: dict[str, Any] = {"error": "The Human-in-the-loop response timeout has passed.", "error_type": "timeout"}
    with pytest.raises(AirflowFailException, match=expected):
        approve(limit).execute_complete(context, event)
    assert context["ti"].left == {MESSAGE: expected}


def test_an_answer_that_cannot_be_used() -> None:
    """Somebody did answer: Airflow's own words are the message."""
    context = context_of(1)
    with pytest.raises(AirflowFailException, match="Invalid input"):
        approve(timedelta(hours=12)).execute_complete(context, {"error": "Invalid input", "error_type": "validation"})
    assert context["ti"].left == {MESSAGE: "the answer could not be read: Invalid input"}
