"""The watch: how long requests wait, and workers that answer nothing any more."""

import http.client
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import SLOW_APP, RunningApp, patiently

from app.watch import Waits, Watch


def keep_at_work(app: RunningApp, seconds: float) -> http.client.HTTPConnection:
    """Ask what a worker answers after so many seconds."""
    connection = app.connect()
    connection.request("POST", "/v1/predict", f"sleep {seconds}")
    return connection


def stalled(app: RunningApp) -> http.client.HTTPConnection | None:
    """Return a connection over which nothing is answered within a second; None when something is."""
    connection = app.connect()
    connection.request("POST", "/v1/predict", b"no image")
    assert connection.sock
    readable, _, _ = select.select([connection.sock], [], [], 1)
    return None if readable else connection


def ask(app: RunningApp) -> http.client.HTTPResponse:
    connection = app.connect()
    connection.request("POST", "/v1/predict", b"no image")
    answer = connection.getresponse()
    answer.read()
    return answer


def test_each_worker_has_a_wait_of_its_own() -> None:
    waits = Waits()
    rows = {pid: waits.join(pid) for pid in (7, 8)}
    waits.note(7, 0.5)
    waits.note(8, 0.1)
    waits.busy(rows[7], 1.0)
    assert [waits.of(pid) for pid in (7, 8, 9, 7 + 512)] == [0.5, 0.1, 0, 0]
    assert [waits.wait(row) for row in rows.values()] == [0.5, 0.1]
    waits.join(7)
    assert waits.of(7) == 0, "a new process with an old pid starts anew"


def test_a_worker_is_stuck_that_is_at_one_request_for_too_long() -> None:
    waits = Waits()
    now = time.monotonic()
    for pid, since in ((7, now - 60), (8, now - 1), (9, 0.0)):
        waits.busy(waits.join(pid), since)
    assert waits.stuck(30) == [7]
    assert waits.stuck(30) == [], "it is told once"


def test_requests_that_had_to_wait_too_long_are_refused_until_the_queue_is_short_again(model_dir: Path) -> None:
    settings = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "QUEUE_SECONDS": "0.3"}
    with RunningApp(settings, program=SLOW_APP) as app:
        wait_for_watch(app)
        slow = keep_at_work(app, 4)
        for _ in patiently():
            if waiting := stalled(app):
                break
        assert slow.getresponse().status == 400
        refused = waiting.getresponse()
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) >= 1
        for _ in patiently():
            if (status := ask(app).status) != 503:
                break
        assert status == 400, "the queue is short: no image, but an answer"


def test_a_worker_that_answers_nothing_any_more_is_replaced(model_dir: Path) -> None:
    settings = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "REQUEST_SECONDS": "1"}
    with RunningApp(settings, program=SLOW_APP) as app:
        wait_for_watch(app)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            keep_at_work(app, 3600).getresponse()
        assert ask(app).status == 400, "who comes meanwhile waits for the next worker"


def test_a_watch_that_ends_is_replaced(model_dir: Path) -> None:
    settings = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "REQUEST_SECONDS": "1"}
    with RunningApp(settings, program=SLOW_APP) as app:
        (watch,) = children(app) - workers(app)
        os.kill(watch, signal.SIGKILL)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            keep_at_work(app, 3600).getresponse()
    assert "the watch of the workers has ended (exit code -9); another starts" in app.output


def test_a_client_that_sends_slowly_keeps_nobody_waiting_but_itself(model_dir: Path) -> None:
    settings = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "REQUEST_SECONDS": "1"}
    with RunningApp(settings) as app:
        slow = app.connect()
        slow.putrequest("POST", "/v1/predict")
        slow.putheader("Content-Length", "10")
        slow.endheaders(b"12345")
        (worker,) = workers(app)
        assert ask(app).status == 400
        assert slow.getresponse().status == 408
        assert workers(app) == {worker}


def test_a_worker_that_died_over_a_request_leaves_its_id_to_others() -> None:
    watch = Watch(1, "localhost", 1, patience=0)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        watch.waits.busy(watch.waits.join(other.pid), 1.0)
        watch.end_stuck()
        other.communicate(b"\n")
    assert other.returncode == 0, "it has another parent than a worker has"


def children(app: RunningApp) -> set[int]:
    pid = app.process.pid
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def workers(app: RunningApp) -> set[int]:
    found = (sample for sample in app.metrics() if sample.name == "process_resident_memory_bytes")
    return {int(sample.labels["pid"]) for sample in found}


def wait_for_watch(app: RunningApp) -> None:
    """Wait until the only connection that the app has is the one that the watch keeps to its worker."""
    seen = 0
    for _ in patiently():
        seen = seen + 1 if _established(app.port) == 1 else 0
        if seen == 5:
            return


def _established(port: int) -> int:
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(state == "01" and int(local.partition(":")[2], 16) == port for _, local, _, state, *_ in lines)


def test_an_app_whose_worker_never_ends_stops_all_the_same(model_dir: Path) -> None:
    settings = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "REQUEST_SECONDS": "2", "DRAIN_SECONDS": "0"}
    with RunningApp(settings, program=SLOW_APP) as app:
        slow = keep_at_work(app, 3600)
        app.process.terminate()
        assert app.exit_code() == 0
        slow.close()
