"""What Airflow knows of a run."""

from airflow.sdk import Context

from nocturne.steps.world import Run


def run_of(context: Context, environment: str) -> Run:
    """The run of a task. `force` is read from the DAG's parameters where it has such a one."""
    dag_run = context["dag_run"]
    return Run(
        id=f"{dag_run.dag_id}/{dag_run.run_id}",
        environment=environment,
        requested_by=dag_run.triggering_user_name or "schedule",
        force=bool(context["params"].get("force", False)),
    )
