"""Running programs that come to an end, such as installers."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from nocturne.domain.errors import Broken
from nocturne.sandbox.log_file import last_lines

# How long an installer may take to leave its files in order once it was told to stop.
_GRACE = 15.0


class Interrupted(Exception):
    """The person who started the command wants it to stop."""


class Programs:
    """Runs programs, each with its output in a log; all of them can be told to stop at once."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._stop = threading.Event()

    def stop(self) -> None:
        """End what runs now and start nothing more."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def run(self, name: str, command: Sequence[str], advice: str, environment: Mapping[str, str] | None = None) -> None:
        """Run to the end; the output is added to `<name>.log`.

        Raises Broken with the log's last lines when it fails, Interrupted after `stop`.
        """
        if self.stopped:
            raise Interrupted
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name}.log"
        code = self._wait(_start(command, environment, log))
        if code != 0:
            lines = "\n".join(f"    {line}" for line in last_lines(log))
            raise Broken(f"`{command[0]}` failed with exit code {code}; the end of {log}:\n{lines}", advice=advice)

    def _wait(self, process: "subprocess.Popen[bytes]") -> int:
        while True:
            try:
                return process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                if self.stopped:
                    _end(process)
                    raise Interrupted from None


def _start(command: Sequence[str], environment: Mapping[str, str] | None, log: Path) -> "subprocess.Popen[bytes]":
    try:
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches only us, and we end it in good order.
            return subprocess.Popen(
                list(command), env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
    except FileNotFoundError as error:
        raise Broken(f"found no program `{command[0]}`", advice="install it and run the same command again") from error


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
