import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox import processes
from nocturne.sandbox.programs import Interrupted
from nocturne.sandbox.supervised import SupervisedProcess, fingerprint_of, has_running

SLEEP = ["sleep", "60"]
# Starts a child in a session and process group of its own, as Airflow does with its tasks, and tells its pid.
WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[SupervisedProcess]:
    supervised = SupervisedProcess("part", tmp_path)
    yield supervised
    supervised.stop(grace=1)


def pid_file(tmp_path: Path) -> Path:
    return tmp_path / "run" / "part.json"


def wait_for_line(process: SupervisedProcess) -> str:
    process.wait_until(lambda: bool(process.log.read_text()), timeout=10)
    return process.log.read_text().strip()


def test_it_is_found_again_by_its_pid_file(process: SupervisedProcess, tmp_path: Path) -> None:
    """Another command that knows only name and home finds the process and can end it."""
    process.start(SLEEP, os.environ, fingerprint_of(SLEEP))
    again = SupervisedProcess("part", tmp_path)
    assert again.pid() == process.pid() is not None
    assert again.fingerprint() == fingerprint_of(SLEEP)
    assert has_running(tmp_path)
    assert again.stop()
    assert process.pid() is None
    assert not pid_file(tmp_path).exists()
    assert not has_running(tmp_path)


def test_nothing_that_runs_is_nothing_to_stop(process: SupervisedProcess) -> None:
    """Stopping what never ran, or was stopped already, says so and does no harm."""
    assert not process.stop()


def test_a_pid_that_was_used_again_is_left_alone(process: SupervisedProcess, tmp_path: Path) -> None:
    """A process that merely has the recorded pid now counts as not running and survives `stop`."""
    with subprocess.Popen(SLEEP) as stranger:
        # Start times are counted in hundredths of a second.
        time.sleep(0.05)
        process.start(SLEEP, os.environ)
        recorded = json.loads(pid_file(tmp_path).read_text())
        process.stop()
        recorded |= {"pid": stranger.pid, "token": "another"}
        pid_file(tmp_path).write_text(json.dumps(recorded))
        assert process.pid() is None
        assert not process.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_children_in_sessions_of_their_own_end_with_it(process: SupervisedProcess) -> None:
    """A child that left the session and the process group is ended all the same."""
    process.start([sys.executable, "-c", WITH_CHILD], os.environ)
    child = int(wait_for_line(process))
    assert process.stop()
    assert processes.look_up(child) is None


def test_children_left_by_a_killed_process_are_ended(process: SupervisedProcess) -> None:
    """When the first process was killed, its orphans are counted, and ended by `stop`."""
    process.start([sys.executable, "-c", WITH_CHILD], os.environ)
    child, parent = int(wait_for_line(process)), process.pid()
    assert parent is not None
    os.kill(parent, signal.SIGKILL)
    while process.pid():
        time.sleep(0.01)
    assert process.remains() == 1
    assert process.stop()
    assert processes.look_up(child) is None


def test_what_does_not_end_when_asked_is_killed(process: SupervisedProcess) -> None:
    """A process that ignores SIGTERM is gone once the time of grace is over."""
    process.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], os.environ)
    wait_for_line(process)
    pid = process.pid()
    assert pid is not None
    assert process.stop(grace=0.3)
    assert processes.look_up(pid) is None


def test_only_the_first_process_is_asked_where_it_ends_its_own(process: SupervisedProcess) -> None:
    """With `leader_only` the children get no signal from us, so that the first process can end them in good order."""
    script = "trap 'exit 0' TERM; (trap 'echo child asked' TERM; sleep 0.6; echo child done) & echo ready; wait; sleep 1"
    process.start(["sh", "-c", script], os.environ)
    wait_for_line(process)
    process.stop(grace=5, leader_only=True)
    assert "child asked" not in process.log.read_text()
    assert "child done" in process.log.read_text()


def test_an_early_end_shows_the_end_of_the_log(process: SupervisedProcess) -> None:
    """A process that ends before it is healthy is Broken, with its last words and the log's path."""
    process.start(["sh", "-c", "echo out of cheese; exit 3"], os.environ)
    with pytest.raises(Broken) as caught:
        process.wait_until(lambda: False, timeout=10)
    assert "out of cheese" in caught.value.message
    assert str(process.log) in caught.value.message


def test_a_process_that_is_never_healthy_is_broken_but_runs_on(process: SupervisedProcess) -> None:
    """When time is up, the process stays, so that a person can look at it."""
    process.start(SLEEP, os.environ)
    with pytest.raises(Broken, match="was not ready after 0 s"):
        process.wait_until(lambda: False, timeout=0.2)
    assert process.pid()


def test_waiting_can_be_interrupted(process: SupervisedProcess) -> None:
    """Waiting ends at once when the person wants it to."""
    process.start(SLEEP, os.environ)
    with pytest.raises(Interrupted):
        process.wait_until(lambda: False, timeout=60, stopped=lambda: True)


def test_a_damaged_pid_file_is_an_error_that_says_what_to_do(process: SupervisedProcess, tmp_path: Path) -> None:
    """A pid file that cannot be read is never taken for `not running`."""
    pid_file(tmp_path).parent.mkdir()
    pid_file(tmp_path).write_text("12345")
    with pytest.raises(Broken, match="is no pid file"):
        process.pid()
    pid_file(tmp_path).unlink()


def test_after_a_restart_of_the_machine_nothing_runs(process: SupervisedProcess, tmp_path: Path) -> None:
    """A pid file from before the machine's last start names no process of now."""
    process.start(SLEEP, os.environ)
    recorded = json.loads(pid_file(tmp_path).read_text())
    pid_file(tmp_path).write_text(json.dumps(recorded | {"boot": "before"}))
    assert process.pid() is None
    pid_file(tmp_path).write_text(json.dumps(recorded))


def test_a_long_log_is_put_aside_at_a_start(process: SupervisedProcess) -> None:
    """A log over 10 MiB becomes `.log.1`, and the new start has its own."""
    process.log.parent.mkdir(parents=True)
    process.log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    process.start(["sh", "-c", "echo new; sleep 60"], os.environ)
    assert wait_for_line(process) == "new"
    assert process.log.with_name("part.log.1").stat().st_size > 10 * 1024 * 1024
