"""The inspecting process: `python -I -B program.py MODEL SECONDS MEMORY_BYTES`, where the folder of MODEL mirrors the model's own.

It limits itself before it opens anything, says so in a line `{"ready": true}`, and ends with a line `{"faults": [texts]}`.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

_OPEN_FILES = 64


def main(model: Path, seconds: int, memory_bytes: int) -> None:
    """Inspect one model."""
    _limit(seconds, memory_bytes)
    # Isolated from PYTHONPATH and the user's own packages, but this package is needed.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from nocturne.adapters.onnx_inspector.inspection import inspect

    answers = _private_output()
    _say(answers, {"ready": True})
    try:
        found = inspect(model)
    except MemoryError:
        found = [f"the inspection needed more than {memory_bytes:,} bytes of memory"]
    except RecursionError:
        found = ["its parts are nested too deeply to be inspected"]
    except Exception as error:  # a model that nobody foresaw is none to ship
        found = [f"the inspection failed: {type(error).__name__}: {error}"]
    _say(answers, {"faults": [fault[:1000] for fault in found]})


def _limit(seconds: int, memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # At the soft limit comes SIGXCPU, which tells this end from others.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for limit, value in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, _OPEN_FILES), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))
    signal.alarm(2 * seconds)  # should the process that watches this one be killed


def _private_output() -> int:
    """What the libraries print from here on goes nowhere: a model must not be able to put words into our mouth."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _say(answers: int, what: dict[str, object]) -> None:
    with os.fdopen(os.dup(answers), "w", encoding="ascii") as stream:
        stream.write(json.dumps(what) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
