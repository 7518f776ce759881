"""Several processes that do the same at the same moment."""

import multiprocessing
from collections.abc import Callable
from typing import Any


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(number)` gives in each of `count` processes; they begin together. An exception is given as its text."""
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(count), fork.Queue()

    def run(number: int) -> None:
        barrier.wait()
        try:
            results.put((number, work(number)))
        except Exception as error:
            results.put((number, f"{type(error).__name__}: {error}"))

    workers = [fork.Process(target=run, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    found = dict(results.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(60)
    return [found[number] for number in range(count)]
