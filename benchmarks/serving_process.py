"""A server with all its processes: started, asked, weighed and stopped."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from serving_catalogue import SERVERS_FOLDER, Launch, Request, Server

from nocturne.domain.errors import Broken

CLONE = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 60.0
_STOP_SECONDS = 15.0
_ASK_AGAIN_SECONDS = 0.005


@dataclass
class Running:
    """A server that runs. start_seconds: from being spawned to the first right answer."""

    server: Server
    port: int
    log: Path
    process: subprocess.Popen[bytes]
    start_seconds: float = 0.0

    @property
    def url(self) -> str:
        """Where it is posted to."""
        return f"http://127.0.0.1:{self.port}{self.server.path}"

    def labels(self, request: Request) -> list[str]:
        """Its answer. Raises OSError or HTTPException as long as it gives none, Broken when that is not 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request("POST", self.server.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise Broken(f"{self.server.title} answered {answer.status}: {content[:500]!r}")
        return self.server.labels(json.loads(content))

    def wait(self, request: Request, expected: list[str] | None, started: float) -> list[str]:
        """The labels of its first answer. Raises Broken when it gives none in time, or others than expected."""
        problem: Exception | None = None
        while self.process.poll() is None and time.perf_counter() - started < _PATIENCE_SECONDS:
            try:
                labels = self.labels(request)
            except (OSError, http.client.HTTPException, Broken) as error:
                problem = error
                time.sleep(_ASK_AGAIN_SECONDS)
                continue
            self.start_seconds = time.perf_counter() - started
            if expected not in (None, labels):
                raise Broken(f"{self.server.title} answered {labels}, expected {expected} as the others")
            return labels
        raise Broken(f"{self.server.title} gave no right answer: {problem}. Its log ends with:\n{self.told()}")

    def told(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def processor_seconds(self) -> float:
        """What all its processes have used so far, in their own code and in the system's."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    def memory_bytes(self) -> int:
        """What all its processes have in memory; what several share counts once (PSS, see proc(5), smaps_rollup)."""
        return sum(process.memory_full_info().pss for process in self._processes())

    def _processes(self) -> list[psutil.Process]:
        # Some leave the session and some the family, but none of these servers leaves both.
        family = {self.process.pid, *(child.pid for child in psutil.Process(self.process.pid).children(recursive=True))}
        found = []
        for process in psutil.process_iter():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                if process.pid in family or os.getsid(process.pid) == self.process.pid:
                    found.append(process)
        return found

    def stop(self) -> None:
        """Ask it to end, and make it end."""
        processes = self._processes() if self.process.poll() is None else []
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        _, alive = psutil.wait_procs(processes, timeout=1)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()


@contextmanager
def running(server: Server, python: Path, model: Path, home: Path) -> Iterator[tuple[Running, float]]:
    """A server that was just spawned, and when; stopped at the end of the block. Its files lie in `home`."""
    port = _free_port()
    folder = home / f"{server.key}-{port}"
    # A port that is free again is taken again in a later round.
    folder.mkdir(exist_ok=True)
    log = folder / "log"
    with log.open("w") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            server.command(Launch(python, port, folder)),
            env=_variables(server, port, model, folder),
            # The app is a package of this clone; a peer's files lie in one folder.
            cwd=folder if server.environment else CLONE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    found = Running(server, port, log, process)
    try:
        yield found, started
    finally:
        found.stop()


def _variables(server: Server, port: int, model: Path, folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "MODEL_DIR": str(model),
        "PYTHONPATH": str(SERVERS_FOLDER) if server.environment else "",
        **server.variables,
    }


def _free_port() -> int:
    """Return a port that is free with the two after it; below those that the system gives to clients, which come and go."""
    for port in range(21_000, 32_000, 3):
        with suppress(OSError), ExitStack() as stack:
            for number in range(port, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise Broken("found no three free ports from 21000 to 32000", advice="end what listens there")
