"""The app as a process of its own, for tests of how it starts and stops."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
# For machines that do much else: only a hang may fail a test, not a wait.
PATIENCE_SECONDS = 60


class RunningApp:
    """`python -m app` on a free port, ended when the block ends."""

    def __init__(self, environment: Mapping[str, str], ready_path: str = "/readyz") -> None:
        self.port = _free_port()
        self._ready_path = ready_path
        told = {"HOST": "127.0.0.1", "PORT": str(self.port), "RELEASE_FILE": os.devnull, "PATH": os.environ["PATH"]}
        self._environment = told | dict(environment)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "app"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.get(self._ready_path) != 200:
            assert self.process.poll() is None and time.monotonic() < deadline, "the app did not become ready"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=PATIENCE_SECONDS)

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that is kept between requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def get(self, path: str) -> int | None:
        """Return the status that `path` answers over a new connection, or None where nothing answers."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def wait_until_unready(self) -> None:
        """Return as soon as `/readyz` says that the app is about to stop."""
        while (status := self.get("/readyz")) == 200:
            time.sleep(0.02)
        assert status == 503, "the app closed its door before it said that it would"

    def exit_code(self) -> int:
        """Wait for the end, and return the exit code."""
        return self.process.wait(timeout=PATIENCE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
