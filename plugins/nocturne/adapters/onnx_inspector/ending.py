"""What the end of an inspecting process says of the model. Its words are a stranger's: they are cut, and stripped of controls."""

import json
import signal
from dataclasses import dataclass
from typing import Any

from nocturne.domain.errors import Broken
from nocturne.ports.model_inspector import InspectionLimits

_CHARACTERS = 300
_LISTED = 30
# Sent by a machine that is out of memory, by a person, or by whoever ends this worker; a model does not send them to itself.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Ending:
    """exit_code: minus the number of the signal that ended it, None where we did: its time was up, or it said too much."""

    exit_code: int | None
    output: bytes
    flooded: bool = False


def faults_of(ending: Ending, limits: InspectionLimits) -> list[str]:
    """The model's faults, where the process was ready to look at it. Raises Broken where it was not, or was ended from outside."""
    lines = ending.output.splitlines()
    if not lines or _said(lines[0]).get("ready") is not True:
        raise Broken(
            f"the inspecting process did not start: {_ended_how(ending, limits)}{_last_words(ending.output)}",
            advice="see whether `python -c 'import onnx'` works on this worker, and whether model.inspect_memory_bytes is enough",
        )
    if ending.exit_code is not None and -ending.exit_code in _FROM_OUTSIDE:
        raise Broken(
            f"the inspecting process was ended from outside, by {signal.Signals(-ending.exit_code).name}",
            advice="see whether this worker has the memory that model.inspect_memory_bytes allows",
        )
    faults = _said(lines[-1]).get("faults")
    if ending.exit_code == 0 and isinstance(faults, list):
        return [plain(str(fault)) for fault in faults[:_LISTED]]
    return [_ended_how(ending, limits)]


def plain(text: str) -> str:
    """One line of at most 300 printable characters."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * _CHARACTERS])
    line = " ".join(printable.split())
    return line if len(line) <= _CHARACTERS else f"{line[: _CHARACTERS - 1]}…"


def _ended_how(ending: Ending, limits: InspectionLimits) -> str:
    code = ending.exit_code
    if ending.flooded:
        return "the inspection said more than there can be to say"
    if code is None or code == -signal.SIGALRM:
        return f"the inspection took longer than {2 * limits.seconds} s"
    if code == -signal.SIGXCPU:
        return f"the inspection needed more than {limits.seconds} s of processor time"
    if code < 0:
        return f"the inspection crashed with {_signal_name(-code)}"
    return f"the inspection ended with exit code {code} and no verdict"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _said(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _last_words(output: bytes) -> str:
    words = plain(output[-_CHARACTERS:].decode(errors="replace"))
    return f": {words}" if words else ""
