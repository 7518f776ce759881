"""Room for new files: below the cache's limit, and on its disk. What was used least recently goes first."""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nocturne.adapters.file_cache.locks import disk_failures, is_at, lock_now, locked
from nocturne.domain.errors import Broken

SPARE_BYTES = 100_000_000
"""What stays free on the disk for everything else that a night writes: checkouts, environments, logs."""
_CACHED = re.compile(r"[0-9a-f]{64}-[0-9]+")


def free_bytes(folder: Path) -> int:
    """What a user without privileges may still write on the folder's disk."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class _Cached:
    """A cached file. used_at: when some process asked for it last, in ns."""

    path: Path
    size: int
    used_at: int


@dataclass(frozen=True)
class Room:
    """How much a cache may hold. limit: bytes of all cached files together, 0 for none. free: tells what its disk has left."""

    root: Path
    limit: int
    free: Callable[[Path], int] = free_bytes

    def make(self, needed: int) -> None:
        """Evict until `needed` bytes more fit, as far as files are not in use. Evicts nothing when the disk is too full anyhow.

        The limit is kept as far as that goes: what is in use stays, and a model larger than the limit is fetched nevertheless.
        Raises Broken when the disk cannot hold it.
        """
        # One at a time: two who looked at the same files would evict twice as much as is needed.
        with disk_failures(self.root), locked(self.root / "eviction.lock"):
            cached = sorted(_cached(self.root / "sha256"), key=lambda file: file.used_at)
            beyond = sum(file.size for file in cached) + needed - self.limit if self.limit else 0
            lacking = self._lacking(needed)
            if lacking > 0 and lacking > (evictable := sum(file.size for file in cached if _unused(file.path))):
                raise self._full(needed, evictable)
            _evict(cached, max(beyond, lacking))
            # Evicting frees nothing where a file has another name somewhere, or was never written out.
            if lacking > 0 and self._lacking(needed) > 0:
                raise self._full(needed, 0)

    def _lacking(self, needed: int) -> int:
        return needed + SPARE_BYTES - self.free(self.root) if needed else 0

    def _full(self, needed: int, evictable: int) -> Broken:
        free = self.free(self.root)
        return Broken(
            f"the disk of the cache {self.root} is too full: found {free:,} bytes free and {evictable:,} that could be evicted, "
            f"expected {needed + SPARE_BYTES:,}: {needed:,} are to be fetched, and {SPARE_BYTES:,} to spare",
            advice=f"free {needed + SPARE_BYTES - free - evictable:,} bytes there, or let NOCTURNE_CACHE name a folder on a "
            "larger disk",
        )


def _cached(folder: Path) -> Iterable[_Cached]:
    # Not by Path.glob, which raises when a folder goes away under it.
    for first in _names(folder):
        for name in filter(_CACHED.fullmatch, _names(folder / first)):
            path = folder / first / name
            with suppress(FileNotFoundError):
                state = path.stat()
                yield _Cached(path, state.st_size, state.st_atime_ns)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _evict(oldest_first: Iterable[_Cached], wanted: int) -> None:
    for file in oldest_first:
        if wanted <= 0:
            return
        if _unused(file.path, remove=True):
            wanted -= file.size


def _unused(path: Path, *, remove: bool = False) -> bool:
    """Whether no process holds a file. remove: unlink it then, while nobody can begin to hold it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        if not lock_now(descriptor) or not is_at(descriptor, path):
            return False
        if remove:
            path.unlink(missing_ok=True)
        return True
    finally:
        os.close(descriptor)
