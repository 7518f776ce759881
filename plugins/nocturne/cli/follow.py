"""Watching a run from the command line."""

import time
from collections.abc import Callable
from typing import Any

import typer

from nocturne.cli import exit_codes
from nocturne.cli.airflow_api import AirflowApi, TaskState
from nocturne.cli.output import err

_ENDED = ("success", "failed")
_QUIET = (None, "scheduled", "queued", "running", "deferred", "up_for_retry", "upstream_failed", "restarting")


def follow(api: AirflowApi, dag_id: str, run_id: str, first_task: str) -> dict[str, Any]:
    """Tell each task's end on standard error as it comes; returns the verdict once the run has ended.

    The verdict's keys: `run`, `state` (Airflow's), `verdict` (verified, unchanged, rejected or broken), `message`, `release`.
    """
    started, told = time.monotonic(), dict[str, tuple[str | None, int]]()
    with err.status("waiting for the first task") as status:
        while True:
            state = api.run_state(dag_id, run_id)
            tasks = api.tasks(dag_id, run_id)
            for task in tasks:
                if told.get(task.name) != (task.state, task.try_number):
                    told[task.name] = (task.state, task.try_number)
                    _tell(api, dag_id, run_id, task, time.monotonic() - started, status.update)
            if state in _ENDED:
                return _verdict(api, dag_id, run_id, state, first_task)
            time.sleep(0.5)


def leave(verdict: dict[str, Any]) -> None:
    """Exit with the code of a verdict."""
    code = {"verified": exit_codes.OK, "unchanged": exit_codes.OK, "rejected": exit_codes.REJECTED}.get(
        verdict["verdict"], exit_codes.BROKEN
    )
    raise typer.Exit(code)


def _tell(api: AirflowApi, dag_id: str, run_id: str, task: TaskState, seconds: float, show: Callable[[str], None]) -> None:
    if task.state in ("running", "deferred"):
        show(f"{task.name}: {task.state}")
    if task.state in _QUIET and task.state != "up_for_retry":
        return
    message = api.xcom(dag_id, run_id, task.name, "message")
    if task.state == "skipped" and message is None:
        return  # it never ran: freeze_inputs has said why
    word = {"success": "done", "up_for_retry": "broken, will be tried again"}.get(task.state or "", task.state)
    text = f": {message}" if message else ""
    err.print(f"[{seconds:6.1f} s] {task.name} {word}{text}", markup=False)


def _verdict(api: AirflowApi, dag_id: str, run_id: str, state: str, first_task: str) -> dict[str, Any]:
    settled = api.xcom(dag_id, run_id, "settle", "verdict")
    plan = api.xcom(dag_id, run_id, first_task, "plan") or {}
    if settled is None:
        # Only a night that had nothing to do, or a dry run, ends without being settled.
        word = "unchanged" if state == "success" else "broken"
        settled = {"verdict": word, "message": "; ".join(plan.get("reasons", [])) or f"the run ended as {state}; see its log"}
    release = plan.get("release") or api.xcom(dag_id, run_id, first_task, "return_value")
    return {"run": run_id, "state": state, **settled, "release": release, "plan": plan}
