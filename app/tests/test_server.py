"""How the app starts and stops as a process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from balancer import Balancer
from running import ROOT, RunningApp

from app.golden_set import Sample


def test_no_request_is_lost_when_the_app_stops_under_load(running: RunningApp, golden: list[Sample]) -> None:
    """Behind a balancer that checks `/readyz` every 500 ms, a stop loses no request of keep-alive clients."""
    balancer = Balancer(running, json.dumps({"input": [golden[0].image]}))
    balancer.start()
    time.sleep(0.5)
    running.process.terminate()
    balancer.join()
    assert running.exit_code() == 0
    assert balancer.failures == []
    assert balancer.answered > 100
    assert balancer.closed_politely > 0


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
    assert any(b"Spawning worker-2" in line for line in app.stdout)
    time.sleep(seconds)
    app.terminate()
    try:
        assert app.wait(timeout=60) == 0
    finally:
        app.stdout.close()
        if app.poll() is None:
            os.killpg(app.pid, signal.SIGKILL)


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
