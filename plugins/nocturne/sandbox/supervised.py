"""A long-running process that outlives the command which started it, and is found again by its pid file."""

import contextlib
import hashlib
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from nocturne.domain.errors import Broken
from nocturne.sandbox import processes
from nocturne.sandbox.log_file import last_lines
from nocturne.sandbox.programs import Interrupted

_MARKER = "NOCTURNE_SUPERVISED"
_LONGEST_LOG = 10 * 1024 * 1024


@dataclass(frozen=True)
class PidFile:
    """What is known of a process that was started. token: stands in its environment and in that of all its children.

    started, boot: tell it from a later process with the same pid. fingerprint: hash of what it was started with.
    """

    pid: int
    started: int
    boot: str
    token: str
    fingerprint: str


class SupervisedProcess:
    """One process with its children, by name. Only what was started here is ever ended."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.log = home / "logs" / f"{name}.log"
        self._pid_file = home / "run" / f"{name}.json"
        self._child: subprocess.Popen[bytes] | None = None

    def pid(self) -> int | None:
        """The process' id while it runs."""
        recorded = self._recorded()
        return recorded.pid if recorded and _is_running(recorded) else None

    def fingerprint(self) -> str:
        """The hash of what the running process was started with; empty when none runs."""
        recorded = self._recorded()
        return recorded.fingerprint if recorded and _is_running(recorded) else ""

    def remains(self) -> int:
        """How many of its processes run, be the first one among them or not."""
        recorded = self._recorded()
        return len(_members(recorded)) if recorded else 0

    def started_at(self) -> datetime:
        """When it was started, by the clock. Raises FileNotFoundError when it never was."""
        return datetime.fromtimestamp(self._pid_file.stat().st_mtime, UTC)

    def start(self, command: Sequence[str], environment: Mapping[str, str], fingerprint: str = "") -> None:
        """Start it in a session of its own, with its output at the end of its log. What an earlier start left is ended first."""
        self.stop()
        self._rotate_log()
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        token = secrets.token_hex(16)
        # Python programs that set their process title would otherwise write it over the environment, and the token with it.
        marked = {**environment, _MARKER: token, "SPT_NOENV": "1"}
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                list(command), env=marked, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        info = processes.look_up(self._child.pid)
        started = info.started if info else 0
        self._record(PidFile(self._child.pid, started, processes.boot_id(), token, fingerprint))

    def wait_until(self, healthy: Callable[[], bool], timeout: float, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until `healthy` says so. Raises Broken with the log's last lines when the process ends first or time is up.

        stopped: asked meanwhile; once it says so, Interrupted is raised and the process runs on.
        """
        deadline = time.monotonic() + timeout
        pause = 0.05
        while not healthy():
            if self.pid() is None:
                raise self._failure("ended right after its start")
            if stopped():
                raise Interrupted
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready after {timeout:.0f} s")
            # Quick servers are asked often; one that takes long is left the processor.
            time.sleep(pause)
            pause = min(1.2 * pause, 0.5)

    def stop(self, grace: float = 10.0, *, leader_only: bool = False) -> bool:
        """End it and its children: ask, wait up to `grace` seconds, then force. False when nothing of it ran.

        leader_only: ask only the first process, for one that ends its own children in good order.
        """
        recorded = self._recorded()
        if recorded is None:
            return False
        members = _members(recorded)
        asked = [info for info in members if info.pid == recorded.pid] if leader_only else members
        for info in asked or members:
            _send(info, signal.SIGTERM)
        if not _wait_for_end(recorded, members, grace):
            for info in {*members, *_members(recorded)}:
                _send(info, signal.SIGKILL)
            _wait_for_end(recorded, members, 5.0)
        self._pid_file.unlink(missing_ok=True)
        return bool(members)

    def _rotate_log(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))

    def _failure(self, what: str) -> Broken:
        lines = "\n".join(f"    {line}" for line in last_lines(self.log)) or "    (nothing)"
        return Broken(
            f"{self.name} {what}; the end of {self.log}:\n{lines}",
            advice="put right what the log says and run the same command again; it goes on where it stopped",
        )

    def _recorded(self) -> PidFile | None:
        try:
            return PidFile(**json.loads(self._pid_file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise Broken(
                f"{self._pid_file} is no pid file: {error}", advice=f"look for a running {self.name}, end it and remove the file"
            ) from error

    def _record(self, content: PidFile) -> None:
        partial = self._pid_file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(content)))
        partial.replace(self._pid_file)


def has_running(home: Path) -> bool:
    """Whether any process that was started under this home runs."""
    return any(SupervisedProcess(file.stem, home).pid() for file in (home / "run").glob("*.json"))


def fingerprint_of(*parts: object) -> str:
    """A hash of what a process is started with; it tells nothing about the secrets among it."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _is_running(recorded: PidFile) -> bool:
    info = processes.look_up(recorded.pid)
    return info is not None and info.started == recorded.started and recorded.boot == processes.boot_id()


def _members(recorded: PidFile) -> list[processes.ProcessInfo]:
    if recorded.boot != processes.boot_id():
        return []
    return processes.family(f"{_MARKER}={recorded.token}")


def _still_runs(info: processes.ProcessInfo) -> bool:
    now = processes.look_up(info.pid)
    return now is not None and now.started == info.started


def _send(info: processes.ProcessInfo, number: signal.Signals) -> None:
    if _still_runs(info):
        with contextlib.suppress(ProcessLookupError):
            os.kill(info.pid, number)


def _wait_for_end(recorded: PidFile, members: list[processes.ProcessInfo], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not any(_still_runs(info) for info in members) and not _members(recorded):
            return True
        time.sleep(0.05)
    return False
