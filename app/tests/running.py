"""The app as a process of its own, for tests of how it starts and stops."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

ROOT = Path(__file__).parents[2]
# For machines that do much else: only a hang may fail a test, not a wait.
PATIENCE_SECONDS = 60

SLOW_APP = (str(Path(__file__).with_name("slow_app.py")),)
"""A program: the app, with images that take long, or end it."""


class RunningApp:
    """`python -m app` on a free port, ended when the block ends; then `output` and `errors` hold what it wrote.

    stderr: as for subprocess.Popen; by default a part of the output. program: what Python runs, with its arguments.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        ready_path: str = "/readyz",
        stderr: int = subprocess.STDOUT,
        program: tuple[str, ...] = ("-m", "app"),
    ) -> None:
        self.port = _free_port()
        self._ready_path = ready_path
        self._stderr = stderr
        self._program = program
        self.output = self.errors = ""
        told = {"HOST": "127.0.0.1", "PORT": str(self.port), "RELEASE_FILE": os.devnull, "PATH": os.environ["PATH"]}
        self._environment = told | dict(environment)

    def __enter__(self) -> Self:
        command = [sys.executable, *self._program]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self._environment,
            stderr=self._stderr,
            stdout=subprocess.PIPE,
            text=True,
            # So that a test can do to all of them what a terminal or a service manager does.
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.get(self._ready_path) != 200:
            assert self.process.poll() is None and time.monotonic() < deadline, "the app did not become ready"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        output, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.output, self.errors = output or "", errors or ""

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

    def mapped_folders(self, prefix: str) -> list[Path]:
        """Return the folders with such a name of which its processes hold files in memory."""
        maps = [
            line for pid in _family(self.process.pid) for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
        ]
        files = {Path(line.split(maxsplit=5)[5]) for line in maps if prefix in line}
        return sorted({file.parent for file in files if file.parent.name.startswith(prefix)})

    def metrics(self) -> list[Sample]:
        """Return all that `/metrics` tells now; nothing where the worker that was asked has just ended."""
        connection = self.connect()
        try:
            connection.request("GET", "/metrics", headers={"Connection": "close"})
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException):
            return []
        finally:
            connection.close()
        assert response.status == 200, text
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def wait_for_workers(self, without: int = 0) -> list[int]:
        """Return the process ids of its two workers once both have started and none of them is `without`."""
        living: list[int] = []
        while len(living) < 2 or without in living:
            time.sleep(0.02)
            found = [sample for sample in self.metrics() if sample.name == "process_resident_memory_bytes"]
            living = [int(sample.labels["pid"]) for sample in found]
        return living

    def counted(self, route: str, status: str = "200") -> int:
        """Return how many requests a route has answered with a status."""
        wanted = {"route": route, "status": status}
        (found,) = [it for it in self.metrics() if it.name == "http_requests_total" and it.labels == wanted]
        return int(found.value)

    def exit_code(self) -> int:
        """Wait for the end, and return the exit code."""
        return self.process.wait(timeout=PATIENCE_SECONDS)


def _family(pid: int) -> list[int]:
    children = [
        int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()
    ]
    return [pid, *(member for child in children for member in _family(child))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def patiently() -> Iterator[None]:
    """Go round and round until the caller leaves the loop; fail when that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)
    raise AssertionError(f"it did not happen within {PATIENCE_SECONDS} s")
