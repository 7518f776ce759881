"""How a rollout stands, judged from one look at the service and its tasks. Nothing here talks to the engine.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Task/operation/TaskInspect (states of a task)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nocturne.adapters.swarm import labels
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase, Rollout

MOST_FAILED_TASKS = 3
"""Swarm starts a failed task again without end; so many failures without an update that could be rolled back are final."""
_BURST = timedelta(minutes=15)
"""Failures count together when they are this close: a service that crashed thrice in a year is not failing."""
_MOVING = ("updating", "rollback_started")


@dataclass(frozen=True)
class Look:
    """One look at the cluster: a service and its tasks, as the engine describes them."""

    service: dict[str, Any]
    tasks: list[dict[str, Any]]


@dataclass(frozen=True)
class Judgement:
    """How the rollout stands.

    fresh: whether it is complete and the first of its service. failed: the tasks that explain a failure, newest first;
    tried: how many tasks there were.
    """

    rollout: Rollout
    fresh: bool = False
    failed: tuple[dict[str, Any], ...] = ()
    tried: int = 0


def judge(desired: DesiredState, look: Look) -> Judgement:
    """Say how a rollout stands. Raises Broken when the cluster is asked to run something else by now."""
    wanted = int(look.service["Spec"]["Mode"]["Replicated"]["Replicas"])
    if labels.is_asked_for(look.service, desired):
        return _judge_current(look, wanted)
    if labels.was_rolled_back(look.service, desired):
        return _failed(look, labels.attempt(desired), wanted, "Swarm rolled it back")
    found = labels.release_of(look.service) or labels.image_of(look.service)
    raise Broken(
        f"found the service running {found}, expected {desired.release_id}: somebody deployed meanwhile",
        advice="find out who in the service's labels, then run again",
    )


def _judge_current(look: Look, wanted: int) -> Judgement:
    attempt, state = labels.attempt_of(look.service), labels.update_state(look.service)
    new = [task for task in look.tasks if labels.attempt_of_task(task) == attempt]
    running = [task for task in look.tasks if _state(task) == "running"]
    ready = sum(task in new for task in running)
    leaving = len(running) - ready
    if state == "paused":
        return _failed(look, attempt, wanted, "Swarm paused the update")
    if ready == wanted and not leaving and state not in _MOVING:
        return Judgement(Rollout(Phase.COMPLETE, ready, wanted, _progress(ready, wanted, leaving, state)), fresh=not state)
    if state == "rollback_paused":
        return _failed(look, attempt, wanted, "Swarm could not put it back")
    if state not in _MOVING and len(_burst(new)) >= MOST_FAILED_TASKS:
        return _failed(look, attempt, wanted, "its tasks fail again and again")
    return Judgement(Rollout(Phase.PROGRESSING, ready, wanted, _progress(ready, wanted, leaving, state)))


def _failed(look: Look, attempt: str, wanted: int, why: str) -> Judgement:
    tried = [task for task in look.tasks if labels.attempt_of_task(task) == attempt]
    ready = sum(_state(task) == "running" for task in tried)
    failed = tuple(_failures(tried))
    if not failed:
        # By hand, or the tasks that failed are forgotten: what is left is Swarm's own remark.
        why = f"{why} ({(look.service.get('UpdateStatus') or {}).get('Message', 'no reason given')})"
    return Judgement(Rollout(Phase.FAILED, ready, wanted, why), failed=failed, tried=len(tried))


def _failures(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    failed = [task for task in tasks if _state(task) in ("failed", "rejected")]
    # A container that ended by itself without an error counts only when nothing else explains the failure:
    # a task that Swarm stopped can end in the same state.
    failed = failed or [task for task in tasks if _state(task) == "complete"]
    return sorted(failed, key=_when, reverse=True)


def _burst(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    failed = _failures(tasks)
    return [task for task in failed if _when(failed[0]) - _when(task) <= _BURST]


def _progress(ready: int, wanted: int, leaving: int, state: str) -> str:
    parts = [f"{ready} of {wanted} replicas ready"]
    if leaving:
        parts.append(f"{leaving} of the previous release still running")
    elif ready == wanted and state == "updating":
        parts.append("Swarm watches them for a while")
    return ", ".join(parts)


def _state(task: dict[str, Any]) -> str:
    return str(task["Status"]["State"])


def _when(task: dict[str, Any]) -> datetime:
    # The engine writes nine digits of a second; Python reads six.
    return datetime.fromisoformat(str(task["Status"]["Timestamp"])[:19])
