"""The last task, which always runs."""

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.operators.release_operator import ReleaseOperator
from nocturne.airflow.outcome import MESSAGE, told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.domain.records import Cause
from nocturne.steps.settle import Verdict, settle


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
            settled = settle(deployed_world(), run, self.release_id or None, Cause(self.cause), _failed_tasks(context))
        context["ti"].xcom_push(key="verdict", value={"verdict": settled.verdict.value, "message": settled.message})
        context["ti"].xcom_push(key=MESSAGE, value=settled.message)
        if settled.verdict in (Verdict.REJECTED, Verdict.BROKEN):
            raise AirflowFailException(f"{settled.verdict.upper()}: {settled.message}")
        self.log.info(settled.message)
        return settled.message


def _failed_tasks(context: Context) -> tuple[str, ...]:
    """The run's tasks that failed themselves; those that never ran because of them are no news."""
    run_id = context["dag_run"].run_id
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, run_ids=[run_id])[run_id]
    return tuple(sorted(task for task, state in states.items() if state == "failed"))
