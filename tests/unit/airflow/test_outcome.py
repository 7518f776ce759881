import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from nocturne.airflow.outcome import ERROR, MESSAGE, finish, told_to_airflow
from nocturne.domain.errors import (
    BlobChanged,
    Broken,
    ConfigurationError,
    Conflict,
    Inconclusive,
    LeaseTaken,
    NocturneError,
    NotFound,
    Rejected,
    Relapsed,
    Unclear,
)
from nocturne.steps.world import Outcome
from tests.unit.airflow.conftest import Task


@pytest.mark.parametrize("error", [Broken("the registry is down"), LeaseTaken("another run has it")])
def test_what_is_broken_is_tried_again(error: NocturneError) -> None:
    """Airflow retries it, and it is told what happened."""
    task = Task()
    with pytest.raises(AirflowException) as raised, told_to_airflow({"ti": task}):  # type: ignore[typeddict-item]
        raise error
    assert not isinstance(raised.value, AirflowFailException)
    assert task.left == {MESSAGE: error.message, ERROR: type(error).__name__}


@pytest.mark.parametrize(
    "error",
    [
        Rejected("accuracy is 12%"),
        NotFound("no such ref"),
        ConfigurationError("f", ["x"]),
        BlobChanged("v1/model.onnx moved"),
        Inconclusive("inconclusive: users sent 3 requests"),
        Unclear("inconclusive: 3 samples are too few"),
        Relapsed("r-1 was verified before and does not come up"),
        Conflict("kubectl-edit owns spec.replicas"),
    ],
)
def test_what_another_try_cannot_mend_fails_at_once(error: NocturneError) -> None:
    """A refusal, a wrong wish, a blob that is no longer the frozen one, too few users and a conflict are not retried."""
    task = Task()
    with pytest.raises(AirflowFailException, match=error.message.splitlines()[0]), told_to_airflow({"ti": task}):  # type: ignore[typeddict-item]
        raise error
    assert task.left[ERROR] == type(error).__name__


def test_a_step_with_nothing_to_do_is_skipped_and_says_why() -> None:
    """What it relies on is the skip's message, and left for others."""
    task = Task()
    with pytest.raises(AirflowSkipException, match="tests passed"):
        finish({"ti": task}, Outcome("tests passed for this tree", skipped=True))  # type: ignore[typeddict-item]
    assert task.left == {MESSAGE: "tests passed for this tree"}
