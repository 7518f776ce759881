"""The worker processes that count into one folder: which of them live, and what each of them uses."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client import ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.registry import Collector

from app.siblings import is_sibling

LIVING: Final = "livesum"
"""How a gauge is kept that ends with its worker. Each worker has one from its start, in a file named after it."""


class ProcessFacts(Collector):
    """Memory, start time, processor time, open files and queue of every living worker, whichever of them is asked."""

    def __init__(self, folder: str | None, waits: Callable[[int], float] | None = None) -> None:
        self._folder = folder
        self._waits = waits

    def collect(self) -> Iterator[Metric]:
        """Return the usual `process_` metrics and how long requests wait, with the label `pid`."""
        found: dict[str, Metric] = {}
        queue = GaugeMetricFamily("queue_seconds", "How long requests wait for their turn now.", labels=["pid"])
        for pid in sorted(living_workers(self._folder)):
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                told = found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                for sample in metric.samples:
                    told.add_sample(sample.name, {"pid": str(pid)}, sample.value)
            if self._waits:
                queue.add_metric([str(pid)], self._waits(pid))
        yield from (*found.values(), queue)


def living_workers(folder: str | None) -> set[int]:
    """Return the process ids of this worker and its living siblings."""
    return {os.getpid(), *(pid for pid in _counting(folder) if is_sibling(pid))} if folder else {os.getpid()}


def forget_dead_workers(folder: str) -> None:
    """Remove what ended workers left of values that only a living one has, such as its queue; counts stay."""
    for pid in _counting(folder):
        if not is_sibling(pid):
            # A sibling may be doing the same.
            with suppress(FileNotFoundError):
                mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


def _counting(folder: str) -> list[int]:
    return [int(file.stem.rpartition("_")[2]) for file in Path(folder).glob(f"gauge_{LIVING}_*.db")]
