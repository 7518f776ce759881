"""Why a rollout failed, in words: the task's error, what the health check saw, and the container's last words."""

from collections import Counter
from typing import Any

from nocturne.adapters.swarm.engine import Engine
from nocturne.adapters.swarm.rollout import Judgement
from nocturne.domain.errors import Broken

_LINES = 8
_LONGEST_LINE = 300
_STOPPED = (0, 128 + 9, 128 + 15)
"""How containers end that are told to, or that do not listen."""


def explain(engine: Engine, judgement: Judgement) -> str:
    """One message of a few lines for the operator. An engine that is away leaves only what is known already."""
    why = judgement.rollout.message
    if not judgement.failed:
        return why
    newest = judgement.failed[0]
    counted = f"{why}: {len(judgement.failed)} of {judgement.tried} tasks failed"
    container_id = str((newest["Status"].get("ContainerStatus") or {}).get("ContainerID", ""))
    if not container_id:
        return f"{counted}: {_error(newest)}"
    try:
        health = _health(engine, container_id)
        # Checks fail, too, because the container has ended by itself: then how it did comes first.
        reasons = [health] if health and _exit_code(newest) in _STOPPED else [_error(newest), health]
        return f"{counted}: {'; '.join(filter(None, reasons))}{_last_words(engine, container_id)}"
    except Broken as error:
        return f"{counted}: {_error(newest)}; its container could not be looked at ({error.message})"


def _error(task: dict[str, Any]) -> str:
    status = task["Status"]
    text = str(status.get("Err") or status.get("Message") or status["State"])
    code = _exit_code(task)
    # An error that tells the code already needs it no more, and a task without a container has 0 for nothing.
    told = f"({code})" in text or (not code and status["State"] != "complete")
    return text if told else f"{text} (exit code {code})"


def _exit_code(task: dict[str, Any]) -> int:
    return int((task["Status"].get("ContainerStatus") or {}).get("ExitCode", 0))


def _health(engine: Engine, container_id: str) -> str:
    # A container that was stopped for its health may still end with 0, and Swarm then calls it finished.
    container = engine.container(container_id) or {}
    health = (container.get("State") or {}).get("Health") or {}
    failed = [check for check in health.get("Log") or [] if check.get("ExitCode")]
    if health.get("Status") != "unhealthy" or not failed:
        return ""
    said = [(check["ExitCode"], " ".join(str(check.get("Output", "")).split())) for check in failed]
    # The last one may have been cut off when its container was stopped: what was said most often tells more.
    counted = Counter(words for words in said if words[1]) or Counter(said)
    (code, output), _ = counted.most_common(1)[0]
    return f"unhealthy: its health check ended with {code} and said: {output[:_LONGEST_LINE] or 'nothing'}"


def _last_words(engine: Engine, container_id: str) -> str:
    lines = [line[:_LONGEST_LINE] for line in engine.last_lines(container_id, _LINES) if line.strip()]
    return "; last log lines:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""
