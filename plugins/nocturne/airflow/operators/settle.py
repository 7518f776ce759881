"""The last task, which always runs."""

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.operators.release_operator import ReleaseOperator
from nocturne.airflow.outcome import ERROR, MESSAGE, told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.domain.records import Cause
from nocturne.steps.settle import FailedStep, Settlement, Verdict, settle


class SettleOperator(ReleaseOperator):
    """Leaves production right, then makes the run red unless all went well: its state is the run's."""

    ui_color = "#e8eefc"

    def __init__(self, *, cause: str, **kwargs: Any) -> None:
        super().__init__(trigger_rule="all_done", **kwargs)
        self.cause = cause

    def execute(self, context: Context) -> str:
        """Returns the verdict's sentence."""
        run = run_of(context, self.environment)
        with told_to_airflow(context):
            settled = settle(deployed_world(), run, self.release_id or None, Cause(self.cause), _failed_steps(context))
        context["ti"].xcom_push(key="verdict", value=_verdict(settled))
        context["ti"].xcom_push(key=MESSAGE, value=settled.message)
        if settled.verdict not in (Verdict.VERIFIED, Verdict.UNCHANGED):
            raise AirflowFailException(f"{settled.verdict.upper()}: {settled.message}")
        self.log.info(settled.message)
        return settled.message


def _verdict(settled: Settlement) -> dict[str, str]:
    """As JSON values, for the command line and the pages."""
    return {"verdict": settled.verdict.value, "message": settled.message, "release": settled.release_id}


def _failed_steps(context: Context) -> tuple[FailedStep, ...]:
    """The run's tasks that failed themselves; those that never ran because of them are no news."""
    task_instance, run_id = context["ti"], context["dag_run"].run_id
    states = task_instance.get_task_states(dag_id=context["dag"].dag_id, run_ids=[run_id])[run_id]
    # Only what comes before: a task after this one has no part in the verdict, should this one be cleared and run again.
    before = context["task"].get_flat_relative_ids(upstream=True)
    names = sorted(task for task, state in states.items() if state == "failed" and task in before)
    kinds, messages = ({name: task_instance.xcom_pull(task_ids=name, key=key) or "" for name in names} for key in (ERROR, MESSAGE))
    return tuple(FailedStep(name, kinds[name], messages[name]) for name in names)
