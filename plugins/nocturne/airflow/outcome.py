"""What a step's end means to Airflow: done, skipped, failed for good, or worth a retry."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from nocturne.domain.errors import BlobChanged, Broken, Inconclusive, NocturneError, Relapsed
from nocturne.steps.world import Outcome

MESSAGE = "message"
"""The XCom that says in a sentence how a task ended, whatever its state: for the command line and the pages."""

ERROR = "error"
"""The XCom that names the class of a task's error."""


@contextmanager
def told_to_airflow(context: Context) -> Iterator[None]:
    """Let Airflow retry what is broken, and only that."""
    try:
        yield
    except Inconclusive as error:
        _tell(context, error)
        # Another try now would find as few users or golden samples; the next run asks again.
        raise AirflowFailException(str(error)) from error
    except (BlobChanged, Relapsed) as error:
        _tell(context, error)
        # What was frozen will not come back, and another whole rollout would keep users waiting: the next run does better.
        raise AirflowFailException(f"BROKEN: {error}") from error
    except Broken as error:
        _tell(context, error)
        raise AirflowException(f"BROKEN, will be tried again: {error}") from error
    except NocturneError as error:
        _tell(context, error)
        raise AirflowFailException(f"{error.word.upper()}: {error}") from error


def finish(context: Context, outcome: Outcome) -> str:
    """The message as the task's result; a step that had nothing to do is skipped, and says what it relies on."""
    context["ti"].xcom_push(key=MESSAGE, value=outcome.message)
    if outcome.skipped:
        raise AirflowSkipException(outcome.message)
    return outcome.message


def _tell(context: Context, error: NocturneError) -> None:
    context["ti"].xcom_push(key=MESSAGE, value=error.message)
    context["ti"].xcom_push(key=ERROR, value=type(error).__name__)
