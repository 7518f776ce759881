"""Watching a run from the command line."""

import time
from abc import ABC, abstractmethod
from typing import Any

import typer

from nocturne.cli import exit_codes
from nocturne.cli.airflow_api import AirflowApi, TaskState
from nocturne.cli.output import err

_ENDED = ("success", "failed")
ENDINGS = {"success": "done", "skipped": "skipped", "failed": "FAILED", "up_for_retry": "broken, will be tried again"}
_EXIT_CODES = {"verified": exit_codes.OK, "unchanged": exit_codes.OK, "rejected": exit_codes.REJECTED}


class Audience(ABC):
    """Who is told how a run goes."""

    @abstractmethod
    def working(self, task: str, state: str) -> None:
        """A task is at work."""

    @abstractmethod
    def ended(self, task: str, state: str, message: str) -> None:
        """A task has ended, or will be tried again; message: what it says of itself, maybe nothing."""


class Lines(Audience):
    """Plain lines on standard error."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def working(self, task: str, state: str) -> None:
        """Nothing: a line for each end is enough."""

    def ended(self, task: str, state: str, message: str) -> None:
        """One line."""
        seconds = time.monotonic() - self._started
        err.print(f"[{seconds:6.1f} s] {task}: {ENDINGS[state]}{f', {message}' if message else ''}", markup=False)


def follow(api: AirflowApi, dag_id: str, run_id: str, first_task: str, audience: Audience | None = None) -> dict[str, Any]:
    """Tell each task's end as it comes; returns the verdict once the run has ended.

    The verdict's keys: `run`, `state` (Airflow's), `verdict` (verified, unchanged, rejected or broken), `message`, `release`.
    """
    audience = audience or Lines()
    told: dict[str, tuple[str | None, int]] = {}
    while True:
        state = api.run_state(dag_id, run_id)
        for task in sorted(api.tasks(dag_id, run_id), key=lambda task: task.ended_at or "~"):
            if told.get(task.name) != (task.state, task.try_number):
                told[task.name] = (task.state, task.try_number)
                _tell(api, dag_id, run_id, task, audience)
        if state in _ENDED:
            return _verdict(api, dag_id, run_id, state, first_task)
        time.sleep(0.5)


def leave(verdict: dict[str, Any]) -> None:
    """Exit with the code of a verdict."""
    raise typer.Exit(_EXIT_CODES.get(verdict["verdict"], exit_codes.BROKEN))


def _tell(api: AirflowApi, dag_id: str, run_id: str, task: TaskState, audience: Audience) -> None:
    if task.state in ("running", "deferred"):
        audience.working(task.name, task.state)
    if task.state not in ENDINGS:
        return
    message = api.xcom(dag_id, run_id, task.name, "message")
    if task.state == "skipped" and message is None:
        return  # it never ran: freeze_inputs has said why
    audience.ended(task.name, task.state, message or "")


def _verdict(api: AirflowApi, dag_id: str, run_id: str, state: str, first_task: str) -> dict[str, Any]:
    settled = api.xcom(dag_id, run_id, "settle", "verdict")
    plan = api.xcom(dag_id, run_id, first_task, "plan") or {}
    if settled is None:
        settled = {"verdict": "unchanged" if state == "success" else "broken", "message": _unsettled(plan, state)}
    release = plan.get("release") or api.xcom(dag_id, run_id, first_task, "return_value")
    return {"run": run_id, "state": state, **settled, "release": release, "plan": plan}


def _unsettled(plan: dict[str, Any], state: str) -> str:
    """Only a night that had nothing to do, or a dry run, ends without being settled."""
    reasons = "; ".join(plan.get("reasons", []))
    if not plan or state != "success":
        return f"the run ended as {state} without being settled; see its log"
    if not plan["dry_run"]:
        return reasons
    return (
        f"dry run: {plan['release']} would be released: {reasons}"
        if plan["needed"]
        else f"dry run: nothing would be done: {reasons}"
    )
