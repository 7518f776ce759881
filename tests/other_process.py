"""Work in another process, which a test may kill in the middle of it."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess


@contextmanager
def process(target: Callable[..., None], *arguments: object) -> Iterator[BaseProcess]:
    """Another process, which is killed at the end."""
    running = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    running.start()
    try:
        yield running
    finally:
        running.kill()
        running.join(20)


def wait_until(true: Callable[[], object], running: BaseProcess) -> None:
    """Wait for something that another process does."""
    while not true():
        assert running.is_alive()
        time.sleep(0.02)
