"""Only one command at a time changes a sandbox."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from nocturne.domain.errors import Conflict

LOCK = "sandbox.lock"
"""The file's name; a folder that has it belongs to a sandbox."""


@contextlib.contextmanager
def only_one(home: Path, what: str) -> Iterator[None]:
    """Hold the sandbox' lock. Raises Conflict, naming who holds it; a lock ends with its process, however that ends."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / LOCK
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = file.read_text().strip() or "another command"
            raise Conflict(f"{holder} is at work on {home}", advice="wait until it is done, or end it") from error
        lock.truncate(0)
        lock.write(f"`{what}` (pid {os.getpid()})")
        lock.flush()
        yield
