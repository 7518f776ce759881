"""Watching a run from the command line."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from nocturne.cli import exit_codes
from nocturne.cli.airflow_api import AirflowApi, TaskState
from nocturne.cli.output import err
from nocturne.domain.errors import Broken

_LOOK_AGAIN_SECONDS = 0.5
_BORNE_MINUTES = 2
"""An API server that is started again is back within one."""
_ENDED = ("success", "failed")
ENDINGS = {"success": "done", "skipped": "skipped", "failed": "FAILED", "up_for_retry": "broken, will be tried again"}
_EXIT_CODES = {
    "verified": exit_codes.OK,
    "unchanged": exit_codes.OK,
    "rejected": exit_codes.REJECTED,
    "inconclusive": exit_codes.INCONCLUSIVE,
}


class Audience(ABC):
    """Who is told how a run goes."""

    @abstractmethod
    def working(self, task: str, state: str) -> None:
        """A task is at work."""

    @abstractmethod
    def ended(self, task: str, state: str, message: str) -> None:
        """A task has ended, or will be tried again; message: what it says of itself, maybe nothing."""

    @abstractmethod
    def waiting(self, reason: str) -> None:
        """Airflow does not tell how the run goes, for now."""


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

    def waiting(self, reason: str) -> None:
        """One line."""
        seconds = time.monotonic() - self._started
        err.print(f"[{seconds:6.1f} s] {reason}; the run goes on, asking again for up to {_BORNE_MINUTES} minutes", markup=False)


class _Patience:
    """Bears that Airflow does not answer for a while: the run does not need whoever follows it. page: the run's, for people."""

    def __init__(self, run_id: str, page: str, audience: Audience) -> None:
        self._run_id, self._page, self._audience = run_id, page, audience
        self._away_since: float | None = None

    @contextmanager
    def borne(self) -> Iterator[None]:
        """Around one look. Raises Broken when all looks have failed for too long."""
        try:
            yield
        except Broken as error:
            self._bear(error)
        else:
            self._away_since = None

    def _bear(self, error: Broken) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._audience.waiting(error.message)
        elif time.monotonic() - self._away_since >= 60 * _BORNE_MINUTES:
            raise Broken(
                f"Airflow has not answered for {_BORNE_MINUTES} minutes; the run {self._run_id} goes on without this command\n"
                f"{error.message}",
                advice=f"follow it at {self._page}; `nocturne status` tells what is live",
            ) from error


def follow(api: AirflowApi, dag_id: str, run_id: str, first_task: str, audience: Audience | None = None) -> dict[str, Any]:
    """Tell each task's end as it comes; returns the verdict once there is one: what the run removes after it takes its time.

    The verdict's keys: `run`, `state` (success or failed, as Airflow ends the run), `verdict` (verified, unchanged, rejected,
    broken or inconclusive), `message`, `release`. Raises Broken when Airflow is out of reach for long.
    """
    audience = audience or Lines()
    patience = _Patience(run_id, f"{api.url}/dags/{dag_id}/runs/{run_id}", audience)
    told: dict[str, tuple[str | None, int]] = {}
    while True:
        with patience.borne():
            state = _look(api, dag_id, run_id, told, audience)
            if state in _ENDED:
                return _verdict(api, dag_id, run_id, state, first_task)
        time.sleep(_LOOK_AGAIN_SECONDS)


def leave(verdict: dict[str, Any]) -> None:
    """Exit with the code of a verdict."""
    raise typer.Exit(_EXIT_CODES.get(verdict["verdict"], exit_codes.BROKEN))


def _look(api: AirflowApi, dag_id: str, run_id: str, told: dict[str, tuple[str | None, int]], audience: Audience) -> str:
    """The run's state; that of `settle` once it has ended. told: state and try of each task that need no telling again."""
    state = api.run_state(dag_id, run_id)
    tasks = api.tasks(dag_id, run_id)
    for task in sorted(tasks, key=lambda task: task.ended_at or "~"):
        if told.get(task.name) != (task.state, task.try_number):
            _tell(api, dag_id, run_id, task, audience)
            told[task.name] = (task.state, task.try_number)
    settled = next((task.state for task in tasks if task.name == "settle"), None)
    return settled if settled in _ENDED else state


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
    # A night that keeps the current model ends with another release than it began with.
    release = settled.get("release") or plan.get("release") or api.xcom(dag_id, run_id, first_task, "return_value")
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
