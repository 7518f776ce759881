import threading
import time
from pathlib import Path

import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox.programs import Interrupted, Programs


def test_a_failure_shows_its_last_lines_and_what_to_do(tmp_path: Path) -> None:
    """The error has the exit code, the end of the output, the log's path and the advice."""
    with pytest.raises(Broken) as caught:
        Programs(tmp_path).run("job", ["sh", "-c", "echo no space left; exit 9"], "make room")
    assert "exit code 9" in caught.value.message
    assert "no space left" in caught.value.message
    assert str(tmp_path / "job.log") in caught.value.message
    assert caught.value.advice == "make room"


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    """The log keeps the output of every run."""
    programs = Programs(tmp_path)
    programs.run("job", ["echo", "one"], "")
    programs.run("job", ["echo", "two"], "")
    assert (tmp_path / "job.log").read_text() == "one\ntwo\n"


def test_stop_ends_a_running_program(tmp_path: Path) -> None:
    """A program at work is ended at once, and nothing more is started."""
    programs = Programs(tmp_path)
    threading.Timer(0.2, programs.stop).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        programs.run("job", ["sleep", "60"], "")
    assert time.monotonic() - began < 10
    with pytest.raises(Interrupted):
        programs.run("job", ["true"], "")


def test_a_program_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """A missing program is an error with its name, not a crash."""
    with pytest.raises(Broken, match="no-such-program"):
        Programs(tmp_path).run("job", ["no-such-program"], "")
