"""How far fetching a model is, for the log of the task."""

import time
from collections.abc import Callable

from nocturne.domain.model import ModelFile
from nocturne.steps.world import Log

_EVERY_SECONDS = 5.0


class FetchProgress:
    """Logs at most one line every 5 s, and one at the end of each file. moved: bytes that came so far. now: seconds."""

    def __init__(self, log: Log, now: Callable[[], float] = time.monotonic) -> None:
        self.moved = 0
        self._log = log
        self._now = now
        self._said_at = now()
        self._unsaid = 0

    def fetch(self, file: ModelFile, fetch: Callable[[Callable[[int], None]], None]) -> None:
        """Do `fetch`, which is given what to call with each number of bytes that came."""
        started, before = self._now(), self.moved

        def progress(moved: int) -> None:
            self.moved += moved
            self._unsaid += moved
            self._say(file, self.moved - before)

        fetch(progress)
        seconds = self._now() - started
        self._log(f"{file.path}: {megabytes(file.size)} MB in {seconds:.1f} s, {rate(file.size, seconds)}")

    def _say(self, file: ModelFile, done: int) -> None:
        seconds = self._now() - self._said_at
        if seconds < _EVERY_SECONDS or done >= file.size:
            return
        share = f"{megabytes(done)} of {megabytes(file.size)} MB ({done / file.size:.0%})"
        self._log(f"{file.path}: {share}, {rate(self._unsaid, seconds)}")
        self._said_at, self._unsaid = self._now(), 0


def megabytes(size: int) -> str:
    """A size in MB, with a decimal where it is small."""
    return f"{size / 1e6:,.0f}" if size >= 10_000_000 else f"{size / 1e6:.1f}"


def rate(size: int, seconds: float) -> str:
    """Bytes in seconds, as MB/s."""
    return f"{size / 1e6 / max(seconds, 1e-3):,.0f} MB/s"
