"""The health check, and how patient it and all others that ask are."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import ROOT, SLOW_APP, RunningApp

from app.healthcheck import TIMEOUT_SECONDS, host_to_ask, is_ready, patience
from app.limits import Limits

FOLDER = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("file", "pattern", "count"),
    [
        ("Dockerfile", r"HEALTHCHECK .*--timeout=(\d+)s ", 1),
        ("swarm/compose.yaml", r" timeout: (\d+)s\n", 1),
        ("kubernetes/deployment.yaml", r" timeoutSeconds: (\d+)\n", 3),
    ],
)
def test_nobody_who_asks_gives_up_before_the_queue_is_full(file: str, pattern: str, count: int) -> None:
    """Otherwise load alone, of which no request is refused, would end every replica."""
    text = (FOLDER / file).read_text()
    timeouts = [float(found) for found in re.findall(pattern, text)]
    assert len(timeouts) == count
    assert text.count("Probe:") in (0, count), "a probe that names no timeout has one second"
    assert min(timeouts) > Limits.queue_seconds
    if count == 1:
        assert min(timeouts) > TIMEOUT_SECONDS, "it says itself what it found"


def test_the_check_itself_does_not_give_up_before_the_queue_is_full() -> None:
    assert Limits.queue_seconds < TIMEOUT_SECONDS


def test_an_app_that_is_at_work_is_healthy(model_dir: Path) -> None:
    """The check waits for its turn as requests do."""
    with RunningApp({"MODEL_DIR": str(model_dir), "WORKERS": "1"}, program=SLOW_APP) as app:
        slow = app.connect()
        slow.request("POST", "/v1/predict", b"sleep 4")
        assert check({"PORT": str(app.port)}) == 0
        assert slow.getresponse().status == 400


def test_where_requests_may_wait_longer_the_check_does_too() -> None:
    assert patience({}) == patience({"QUEUE_SECONDS": ""}) == patience({"QUEUE_SECONDS": "0.3"}) == TIMEOUT_SECONDS
    assert patience({"QUEUE_SECONDS": "30"}) > 30


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ("", "0.0.0.0"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("127.0.0.2", "127.0.0.2"),
        ("::1", "::1"),
        ("localhost", "127.0.0.1"),
    ],
)
def test_the_app_is_asked_where_it_listens(told: str, place: str) -> None:
    """Everywhere means also here."""
    with answering(place) as port:
        assert check({"HOST": told, "PORT": str(port)}) == 0


def test_an_app_that_listens_elsewhere_is_not_this_one() -> None:
    with answering("127.0.0.1") as port:
        assert not is_ready(host_to_ask("127.0.0.2"), port)


def check(environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "app.healthcheck"]
    return subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]} | environment, check=False).returncode


@contextlib.contextmanager
def answering(host: str) -> Iterator[int]:
    """Answer one request with 200, and tell the port."""
    try:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.bind((host, 0))
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with listener:
        listener.listen()
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answer(listener: socket.socket) -> None:
    with contextlib.suppress(OSError), listener.accept()[0] as connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
