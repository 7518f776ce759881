"""Telling a person what is going on: live on a terminal, line by line elsewhere."""

import sys
import threading
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text


class Report(ABC):
    """What a long command says of its parts, from several threads. Used in a `with` block."""

    @abstractmethod
    def working(self, part: str, text: str) -> None:
        """The part began something that takes a while."""

    @abstractmethod
    def ready(self, part: str, text: str) -> None:
        """The part is done, with what came of it."""

    @abstractmethod
    def failed(self, part: str, text: str) -> None:
        """The part gave up."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is left to do unless a report says so."""
        return


class SilentReport(Report):
    """Says nothing."""

    def working(self, part: str, text: str) -> None:
        """Nothing."""

    def ready(self, part: str, text: str) -> None:
        """Nothing."""

    def failed(self, part: str, text: str) -> None:
        """Nothing."""


class LineReport(Report):
    """One plain line for each event: `[ 12.3 s] registry: ready on http://localhost:5000`."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._clock = _Stopwatch()
        self._lock = threading.Lock()

    def working(self, part: str, text: str) -> None:
        """Print it with dots."""
        self._line(part, f"{text} ...")

    def ready(self, part: str, text: str) -> None:
        """Print it."""
        self._line(part, text)

    def failed(self, part: str, text: str) -> None:
        """Print it, marked."""
        self._line(part, f"FAILED: {text}")

    def _line(self, part: str, text: str) -> None:
        with self._lock:
            print(f"[{self._clock.elapsed():6.1f} s] {part}: {text}", file=self._output, flush=True)


class LiveReport(Report):
    """A line for each part that is done, and below them a spinner for each that is at work."""

    def __init__(self, console: Console) -> None:
        self._clock = _Stopwatch()
        self._lock = threading.Lock()
        self._at_work: dict[str, Spinner] = {}
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take the spinners away."""
        self._live.stop()

    def working(self, part: str, text: str) -> None:
        """Show a spinner in place of the part's last one."""
        with self._lock:
            self._at_work[part] = Spinner("dots", Text.assemble((part, "bold"), f": {text}"))
            self._show()

    def ready(self, part: str, text: str) -> None:
        """Print a line in place of the part's spinner."""
        self._finish(part, Text.assemble(("✓ ", "green"), self._time(), (part, "bold"), f": {text}"))

    def failed(self, part: str, text: str) -> None:
        """Print a red line in place of the part's spinner."""
        self._finish(part, Text.assemble(("✗ ", "red"), self._time(), (part, "bold red"), f": {text}"))

    def _time(self) -> tuple[str, str]:
        return (f"{self._clock.elapsed():6.1f} s  ", "dim")

    def _finish(self, part: str, line: Text) -> None:
        with self._lock:
            self._at_work.pop(part, None)
            self._live.console.print(line)
            self._show()

    def _show(self) -> None:
        self._live.update(Group(*self._at_work.values()))


def report_on(output: TextIO = sys.stdout) -> Report:
    """The report that fits where it is read."""
    return LiveReport(Console(file=output)) if output.isatty() else LineReport(output)


class _Stopwatch:
    def __init__(self) -> None:
        self._start = time.monotonic()

    def elapsed(self) -> float:
        return time.monotonic() - self._start
