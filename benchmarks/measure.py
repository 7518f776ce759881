"""Seconds and bytes of a step, and what becomes of them over several rounds."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Measured:
    """One step, once. moved: bytes that came to be in the registry or, for a fetched model, on this machine."""

    scenario: str
    side: str
    step: str
    seconds: float
    moved: int


class Meter:
    """Measures steps. folders: where moved bytes end up; what they grow by is what was moved."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self.found: list[Measured] = []

    @contextmanager
    def step(self, scenario: str, side: str, step: str) -> Iterator[None]:
        """Measure what is done within."""
        # What was written before must not be waited for now.
        os.sync()
        before, started = self._size(), time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        self.found.append(Measured(scenario, side, step, seconds, self._size() - before))

    def _size(self) -> int:
        return sum(file.stat().st_size for folder in self._folders for file in folder.rglob("*") if file.is_file())


@dataclass(frozen=True)
class Medians:
    """Of one step over all rounds, or of several steps that are one after another."""

    seconds: float
    moved: float


def medians(found: Iterable[Measured], chosen: Callable[[Measured], bool], rounds: int) -> Medians:
    """The medians over the rounds of all that was chosen; steps of one round are added up."""
    each = [item for item in found if chosen(item)]
    size = max(1, len(each) // rounds)
    sums = [each[start : start + size] for start in range(0, len(each), size)]
    return Medians(
        median(sum(item.seconds for item in group) for group in sums),
        median(sum(item.moved for item in group) for group in sums),
    )
