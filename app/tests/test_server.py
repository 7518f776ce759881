"""How the app starts and stops as a process."""

import http.client
import json
import multiprocessing
import os
import resource
import select
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from balancer import CLIENTS, Balancer
from running import ROOT, SLOW_APP, RunningApp

from app.golden_set import Sample
from app.server import openable


@pytest.mark.parametrize("keep_alive", [True, False])
def test_no_request_is_lost_when_the_app_stops_under_load(
    running: RunningApp, golden: list[Sample], keep_alive: bool
) -> None:
    """Behind a balancer that checks `/readyz` every 500 ms, a stop loses no request, also none that waits its turn."""
    balancer = Balancer(running, json.dumps({"input": [golden[0].image]}), keep_alive)
    balancer.start()
    time.sleep(0.5)
    running.process.terminate()
    balancer.join()
    assert running.exit_code() == 0
    assert balancer.failures == []
    assert balancer.answered > 100
    assert balancer.closed_politely > 0


def test_a_killed_worker_is_replaced_while_the_other_serves_on(running: RunningApp, golden: list[Sample]) -> None:
    """Its end costs a few requests, and none that was answered is forgotten."""
    balancer = Balancer(running, json.dumps({"input": [golden[0].image]}), keep_alive=False, checks=False)
    balancer.start()
    victim, other = running.wait_for_workers()
    os.kill(victim, signal.SIGKILL)
    assert other in running.wait_for_workers(without=victim)
    answered = balancer.answered
    while balancer.answered < answered + 100:
        time.sleep(0.05)
    balancer.stop()
    # While the killed process is taken down, a client may meet its closing door a second time.
    assert len(balancer.failures) <= 2 * CLIENTS
    assert balancer.answered <= running.counted("/score") <= balancer.answered + len(balancer.failures)


def test_a_stopping_app_is_unready_at_once_and_serves_on(running: RunningApp) -> None:
    """After SIGTERM `/readyz` is 503 while everything else still answers."""
    running.process.terminate()
    running.wait_until_unready()
    assert (running.get("/readyz"), running.get("/healthz"), running.get("/")) == (503, 200, 200)
    assert running.exit_code() == 0


def test_a_request_begun_before_the_end_is_finished(running: RunningApp, golden: list[Sample]) -> None:
    """A request whose body is still being sent when the app closes its door gets its answer."""
    body = json.dumps({"input": [golden[0].image]}).encode()
    connection = running.connect()
    connection.putrequest("POST", "/score")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:10])
    running.process.terminate()
    time.sleep(3.5)  # longer than the pause
    assert running.process.poll() is None
    connection.send(body[10:])
    response = connection.getresponse()
    assert (response.status, len(json.load(response)["result"][0])) == (200, 1)
    assert running.exit_code() == 0


def test_the_keyboard_stops_the_app_at_once(model_dir: Path) -> None:
    """SIGINT waits for nobody: it is a person at a terminal."""
    with RunningApp({"MODEL_DIR": str(model_dir), "WORKERS": "1", "DRAIN_SECONDS": "60"}) as app:
        app.process.send_signal(signal.SIGINT)
        assert app.exit_code() == 0


@pytest.mark.parametrize("seconds", [0, 0.05, 0.2])
def test_a_stop_in_the_first_moments_is_heard(model_dir: Path, seconds: float) -> None:
    """A stop that comes while the workers still load the model ends them too."""
    told = {"MODEL_DIR": str(model_dir), "WORKERS": "2", "PORT": "0", "DRAIN_SECONDS": "0"}
    command, environment = [sys.executable, "-m", "app"], told | {"PATH": os.environ["PATH"]}
    app = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert app.stdout is not None
    assert any(b"serving on port" in line for line in app.stdout)
    time.sleep(seconds)
    app.terminate()
    try:
        assert app.wait(timeout=60) == 0
    finally:
        app.stdout.close()
        if app.poll() is None:
            os.killpg(app.pid, signal.SIGKILL)


def test_a_stop_that_all_processes_are_told_loses_no_request(running: RunningApp, golden: list[Sample]) -> None:
    """Some service managers tell every process to stop: the workers still leave it to the supervisor to say when."""
    balancer = Balancer(running, json.dumps({"input": [golden[0].image]}))
    balancer.start()
    time.sleep(0.5)
    os.killpg(running.process.pid, signal.SIGTERM)
    balancer.join()
    assert running.exit_code() == 0
    assert balancer.failures == []


def test_a_worker_that_keeps_dying_does_not_end_the_app(model_dir: Path) -> None:
    """Each costs its own requests; who comes next is answered by another worker."""
    with RunningApp({"MODEL_DIR": str(model_dir), "WORKERS": "1", "DRAIN_SECONDS": "0"}, program=SLOW_APP) as app:
        for _ in range(3):
            connection = app.connect()
            connection.request("POST", "/v1/predict", b"exit")
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                connection.getresponse()
        assert app.get("/readyz") == 200
    assert app.output.count("a worker has ended (exit code 3); another starts") == 3


@pytest.mark.parametrize(("threads", "seconds"), [("1", 2), ("2", 20)])
def test_a_worker_may_answer_several_requests_at_a_time(model_dir: Path, threads: str, seconds: int) -> None:
    """With threads a long request keeps nobody waiting."""
    told = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "THREADS": threads, "DRAIN_SECONDS": "0"}
    with RunningApp(told, program=SLOW_APP) as app:
        slow, quick = app.connect(), app.connect()
        slow.request("POST", "/v1/predict", b"sleep %d" % seconds)
        time.sleep(0.5)
        quick.request("GET", "/healthz")
        assert quick.sock and slow.sock
        first, _, _ = select.select([quick.sock, slow.sock], [], [])
        assert (slow.sock in first) == (threads == "1")
        answer = quick.getresponse()
        assert answer.status == 200 and answer.read()
        if threads == "1":
            assert slow.getresponse().status == 400
        else:
            # Its answer is not worth the wait, and a stop would wait for it.
            quick.request("POST", "/v1/predict", b"exit")
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                quick.getresponse()


def test_a_worker_that_cannot_start_says_so_in_the_log(model_dir: Path) -> None:
    """What it failed over is one line of JSON, as all others; and the app goes on trying."""
    told = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "DRAIN_SECONDS": "0", "PORT": "0", "PATH": os.environ["PATH"]}
    command = [sys.executable, str(Path(__file__).with_name("app_without_workers.py"))]
    with subprocess.Popen(command, cwd=ROOT, env=told, stderr=subprocess.PIPE) as app:
        assert app.stderr is not None
        failures = (json.loads(line) for line in app.stderr if b"a worker has failed" in line)
        assert ["no memory for a worker" in next(failures)["exception"] for _ in range(2)] == [True, True]
        app.terminate()
        assert all(json.loads(line) for line in app.stderr)
    assert app.returncode == 0


def _allowed(soft: int, hard: int) -> tuple[int, tuple[int, int]]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return openable(1000), resource.getrlimit(resource.RLIMIT_NOFILE)


def test_files_are_allowed_for_as_many_connections_as_are_wanted() -> None:
    """The usual limit of 1024 is raised; where that is forbidden, there are fewer connections."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as processes:
        assert processes.submit(_allowed, 500, 2000).result() == (1000, (1100, 2000))
        assert processes.submit(_allowed, 500, 600).result() == (500, (600, 600))


def test_an_app_without_a_model_starts_unready(tmp_path: Path) -> None:
    """Without a model the app lives, and says that it is not ready."""
    with RunningApp({"MODEL_DIR": str(tmp_path), "WORKERS": "1", "DRAIN_SECONDS": "0"}, "/healthz") as app:
        assert app.get("/readyz") == 503


def test_wrong_settings_end_the_app_with_all_faults() -> None:
    """Faults in the environment are told together, without a traceback."""
    environment = {"PATH": os.environ["PATH"], "PORT": "x", "WORKERS": "0"}
    ended = subprocess.run([sys.executable, "-m", "app"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "PORT is 'x'" in ended.stderr and "WORKERS is '0'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_health_check_tells_ready_from_unready(running: RunningApp) -> None:
    """`python -m app.healthcheck` exits with 0 while the app is ready and with 1 once it is about to stop."""
    assert _check_health(running.port) == 0
    running.process.terminate()
    running.wait_until_unready()
    assert _check_health(running.port) == 1
    assert running.exit_code() == 0
    assert _check_health(running.port) == 1


def _check_health(port: int) -> int:
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    return subprocess.run([sys.executable, "-m", "app.healthcheck"], cwd=ROOT, env=environment).returncode
