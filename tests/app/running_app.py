"""The app as its users meet it: a process of its own, made from its lock file, in its own environment."""

from tests.ports import free_port
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
# For machines that do much else: only a hang may fail a test, not a wait.
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class RunningApp:
    """An app that answers on 127.0.0.1; `log` is the file that all its processes write to."""

    port: int
    model: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """Host and port, as `Host` headers and tritonclient want them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address of its page, without a slash at the end."""
        return f"http://{self.address}"

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that is kept between requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def status(self, path: str) -> int | None:
        """Return the status that `path` answers over a new connection, or None where nothing answers."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Return the ids of the worker processes that live now."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sorted(int(word) for task in tasks for word in (task / "children").read_text().split())

    def stop(self) -> int:
        """Ask it to stop, as an orchestrator does, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


@dataclass(frozen=True)
class AppEnvironment:
    """Where the app's dependencies are installed, and nothing else."""

    folder: Path

    def synchronise(self) -> None:
        """Install what the app's lock file says; quick where that is done already."""
        command = [find_uv_bin(), "sync", "--quiet", "--frozen", "--project", str(ROOT / "app"), "--python", sys.executable]
        subprocess.run(command, env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(self.folder), "VIRTUAL_ENV": ""}, check=True)

    def python(self, *arguments: str) -> list[str]:
        """Return a command that runs the app's Python. The process is Python itself, so that signals reach it."""
        return [str(self.folder / "bin" / "python"), *arguments]

    def train(self, model: Path, *options: str) -> None:
        """Write the demo model to a folder."""
        subprocess.run(self.python("-m", "app.training", "--out", str(model), *options), cwd=ROOT, env=_plain(), check=True)

    @contextmanager
    def run(
        self, model: Path, log: Path, settings: Mapping[str, str] | None = None, ready: str = "/readyz", before: Sequence[str] = ()
    ) -> Iterator[RunningApp]:
        """Serve a model on a free port until the block ends.

        settings: environment variables of the app. ready: the address that answers 200 once the block may begin. before: a command
        that starts the app's, such as a profiler.
        """
        port = free_port()
        told = {"HOST": "127.0.0.1", "PORT": str(port), "MODEL_DIR": str(model), "RELEASE_FILE": os.devnull, "DRAIN_SECONDS": "0"}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*before, *self.python("-m", "app")],
                cwd=ROOT,
                env=_plain() | told | dict(settings or {}),
                stdout=output,
                stderr=output,
            )
        app = RunningApp(port, model, log, process)
        try:
            _wait(app, ready)
            yield app
        finally:
            if process.poll() is None:
                app.stop()


def _plain() -> dict[str, str]:
    """What the app sees of our environment: nothing that sets it up."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def _wait(app: RunningApp, ready: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while app.status(ready) != 200:
        told = app.log.read_text(errors="replace")[-2000:]
        assert app.process.poll() is None, f"the app ended with {app.process.returncode}:\n{told}"
        assert time.monotonic() < deadline, f"{ready} did not answer 200 within {PATIENCE_SECONDS} s:\n{told}"
        time.sleep(0.02)
