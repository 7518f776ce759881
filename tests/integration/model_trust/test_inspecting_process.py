"""Processes that stand in for an inspection gone wrong."""

import time
from pathlib import Path

import pytest

from nocturne.adapters.onnx_inspector import OnnxInspector
from nocturne.adapters.onnx_inspector import program as real_program
from nocturne.domain.errors import Broken
from nocturne.ports.model_inspector import InspectionLimits

READY = "import os, signal, sys, time; print('{\"ready\": true}', flush=True)\n"
LIMITED = f"import sys; sys.path.insert(0, {str(Path(real_program.__file__).parent)!r}); import program\n"


def run(folder: Path, program: str, seconds: int = 30) -> list[str]:
    (folder / "program.py").write_text(program)
    (folder / "model.onnx").write_bytes(b"")
    limits = InspectionLimits(seconds=seconds, memory_bytes=500_000_000)
    return OnnxInspector(folder / "program.py").faults(folder, "model.onnx", limits)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS"])
def test_a_crash_is_a_fault_of_the_model(tmp_path: Path, name: str) -> None:
    """The signal that ended it is named."""
    assert run(tmp_path, READY + f"os.kill(os.getpid(), signal.{name})") == [f"the inspection crashed with {name}"]


def test_a_kill_from_outside_is_none(tmp_path: Path) -> None:
    """A process that the machine killed, as it does when it is out of memory, says nothing about the model."""
    with pytest.raises(Broken, match="ended from outside, by SIGKILL"):
        run(tmp_path, READY + "os.kill(os.getpid(), signal.SIGKILL)")


def test_a_busy_process_is_stopped(tmp_path: Path) -> None:
    """Processor time is limited by the process itself."""
    found = run(tmp_path, LIMITED + "program._limit(1, 10**9)\n" + READY + "signal.alarm(0)\nwhile True: pass")
    assert found == ["the inspection needed more than 30 s of processor time"]


def test_an_idle_process_is_stopped(tmp_path: Path) -> None:
    """So is the time of the clock, and with the process goes all that it started."""
    child = tmp_path / "child"
    program = f"import subprocess; p = subprocess.Popen(['sleep', '600']); open({str(child)!r}, 'w').write(str(p.pid)); p.wait()"
    assert run(tmp_path, READY + program, seconds=1) == ["the inspection took longer than 2 s"]
    _wait_until_gone(int(child.read_text()))


def test_a_process_that_nobody_watches_any_more(tmp_path: Path) -> None:
    """It ends itself after the same time."""
    found = run(tmp_path, LIMITED + "program._limit(1, 10**9)\n" + READY + "time.sleep(600)", seconds=1)
    assert found == ["the inspection took longer than 2 s"]


def test_no_file_can_be_written(tmp_path: Path) -> None:
    """Neither a file nor a core is left behind."""
    program = LIMITED + "program._limit(9, 10**9)\n" + READY
    program += "try:\n    os.write(os.open('x', os.O_CREAT | os.O_WRONLY), b'x')\n"
    program += 'except OSError as error:\n    print(\'{"faults": ["%s"]}\' % error.strerror)'
    assert run(tmp_path, program) == ["File too large"]


def test_no_memory_beyond_the_limit(tmp_path: Path) -> None:
    """More memory than the limit cannot be had."""
    program = LIMITED + "program._limit(9, 3 * 10**8)\n" + READY
    program += 'try:\n    bytes(4 * 10**8)\nexcept MemoryError:\n    print(\'{"faults": ["no memory"]}\')'
    assert run(tmp_path, program) == ["no memory"]


def test_a_flood_of_words_is_cut(tmp_path: Path) -> None:
    """Output without end is not read without end."""
    assert run(tmp_path, READY + "while True: print('x' * 1000)") == ["the inspection said more than there can be to say"]


def test_words_without_a_verdict(tmp_path: Path) -> None:
    """A process that ends well but says nothing of use has not passed the model."""
    assert run(tmp_path, READY + "print('[]')") == ["the inspection ended with exit code 0 and no verdict"]


def test_a_verdict_of_a_crashed_process(tmp_path: Path) -> None:
    """Nor has one that says so and crashes."""
    program = READY + "print('{\"faults\": []}', flush=True); os.abort()"
    assert run(tmp_path, program) == ["the inspection crashed with SIGABRT"]


def test_a_process_that_cannot_begin(tmp_path: Path) -> None:
    """Where it could not even start, the machinery is broken, and its last words are told."""
    with pytest.raises(Broken, match=r"did not start: .* no verdict: .*ImportError: no onnx"):
        run(tmp_path, "raise ImportError('no onnx')")


def test_no_secret_is_within_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the worker are not those of the inspecting process, nor are its files open there."""
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_MODELS", "password")
    program = READY + 'import json; print(json.dumps({"faults": [*os.environ, str(sorted(os.listdir("/proc/self/fd")))]}))'
    found = run(tmp_path, program)
    assert not [name for name in found if "NOCTURNE" in name or "AIRFLOW" in name]
    assert found[-1] == "['0', '1', '2', '3']"


def _wait_until_gone(pid: int) -> None:
    for _ in range(600):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")
