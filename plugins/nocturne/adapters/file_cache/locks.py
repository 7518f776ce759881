"""Locks on files, which the system gives up when their process dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nocturne.domain.errors import Broken


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only one with the lock at `path`, which is waited for; nothing is left there afterwards. Raises Broken."""
    with disk_failures(path):
        descriptor = _lock_file(path)
    try:
        yield
    finally:
        _give_up(descriptor, path)


@contextmanager
def locked_now(path: Path) -> Iterator[bool]:
    """The same without waiting: False when somebody else has the lock."""
    try:
        descriptor = _opened(path)
    except FileNotFoundError:  # its folder is gone
        yield False
        return
    if not lock_now(descriptor) or not is_at(descriptor, path):
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        _give_up(descriptor, path)


def lock_now(descriptor: int) -> bool:
    """Lock an open file against everybody else; False when somebody uses it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still has that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def disk_failures(path: Path) -> Iterator[None]:
    """Raise Broken in place of OSError."""
    try:
        yield
    except OSError as error:
        raise Broken(
            f"the cache cannot be written at {path}: {error.strerror}", advice="look at the disk of this worker"
        ) from error


def _lock_file(path: Path) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = _opened(path)
        except FileNotFoundError:
            continue  # the folder was deleted in between
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if is_at(descriptor, path):
            return descriptor
        os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _give_up(descriptor: int, path: Path) -> None:
    # Unlinked before it is given up: who waits for it finds another file there, or none, and takes that.
    if is_at(descriptor, path):
        path.unlink(missing_ok=True)
    os.close(descriptor)
