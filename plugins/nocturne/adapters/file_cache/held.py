"""The files that this process uses."""

import fcntl
import os
import threading
import time
import weakref
from pathlib import Path

from nocturne.adapters.file_cache.locks import disk_failures, is_at


class HeldFiles:
    """Shared locks on cached files, for as long as this object lives: nobody evicts what is locked."""

    def __init__(self) -> None:
        self._descriptors: dict[Path, int] = {}
        self._guard = threading.Lock()
        weakref.finalize(self, _close, self._descriptors)

    def hold(self, path: Path) -> bool:
        """Lock a file and mark it as used now; False when it is gone. Raises Broken."""
        with self._guard, disk_failures(path):
            descriptor = self._held(path)
            if descriptor is None:
                return False
            # The access time, not the time of change, which tells that a file is being changed while it is put into an image.
            # Set by hand, because most systems note an access once a day only, and some never do.
            os.utime(descriptor, ns=(time.time_ns(), os.fstat(descriptor).st_mtime_ns))
            return True

    def renamed(self, path: Path, new: Path) -> None:
        """The same file has another name now."""
        with self._guard:
            self._close(new)
            self._descriptors[new] = self._descriptors.pop(path)

    def drop(self, path: Path) -> None:
        """Give a lock up."""
        with self._guard:
            self._close(path)

    def _held(self, path: Path) -> int | None:
        if path in self._descriptors and is_at(self._descriptors[path], path):
            return self._descriptors[path]
        self._close(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not is_at(descriptor, path):  # evicted while its lock was waited for
            os.close(descriptor)
            return None
        self._descriptors[path] = descriptor
        return descriptor

    def _close(self, path: Path) -> None:
        if (descriptor := self._descriptors.pop(path, None)) is not None:
            os.close(descriptor)


def _close(descriptors: dict[Path, int]) -> None:
    for descriptor in descriptors.values():
        os.close(descriptor)
    descriptors.clear()
