"""Files by what is in them, in a folder that any number of processes share.

<root>/sha256/<first 2 digits>/<64 digits>-<size>     a cached file; its size stands in its name, to notice a cut file at once,
                                                      and its time of change is always the same one, to notice a changed file.
                                                      Its access time is when it was asked for last; who uses it has it locked
<root>/sha256/<first 2 digits>/<64 digits>.lock       held by the process that makes the file
<root>/sha256/<first 2 digits>/<64 digits>.*.writing  a folder in which it is made
<root>/eviction.lock                                  held by the process that makes room
<root>/scratch/<purpose>-*                            folders for short use
"""

import glob
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from nocturne.adapters.file_cache.held import HeldFiles
from nocturne.adapters.file_cache.intact import digest_of, is_intact, machine_started_at, seal
from nocturne.adapters.file_cache.locks import disk_failures, locked, locked_now
from nocturne.adapters.file_cache.room import Room, free_bytes
from nocturne.domain import digest
from nocturne.domain.errors import Broken
from nocturne.ports.file_cache import FileCache

_TRIES = 3
_ABANDONED_SECONDS = 24 * 3600
_BLOCK_BYTES = 512  # of st_blocks, whatever the file system


class LocalFileCache(FileCache):
    """A cache below `root`, which is made when it is first needed and may be deleted at any time, even while it is written to.

    limit: bytes of all cached files together, 0 for none. free: what the disk of a folder has left, in bytes. started_at: when this
    machine did, in seconds of Unix time.
    """

    def __init__(
        self,
        root: Path,
        limit: int = 0,
        *,
        free: Callable[[Path], int] = free_bytes,
        started_at: Callable[[], float] = machine_started_at,
    ) -> None:
        self._root = root
        self._started_at = started_at
        self._room = Room(root, limit, free)
        self._held = HeldFiles()

    def path(self, sha256: str) -> Path | None:
        """The cached file, None when there is none, or it is not intact any more."""
        for found in _matching(self._folder(sha256), f"{_digits(sha256)}-*"):
            with suppress(FileNotFoundError):
                if is_intact(found, sha256, self._started_at()) and self._held.hold(found):
                    return found
        return None

    def reserve(self, sizes: Mapping[str, int]) -> None:
        """See the port. What others are writing at this moment has its room already."""
        self._remove_abandoned()
        missing = [sha256 for sha256 in sizes if self.path(sha256) is None]
        self._room.make(sum(max(0, sizes[sha256] - self._under_way(sha256)) for sha256 in missing))

    def put(self, sha256: str, writer: Callable[[Path], None], *, checked: bool = False) -> Path:
        """The cached file; `writer` makes it when it is missing. What the writer raises passes.

        checked: the writer itself makes sure of the digest; otherwise the file is read again. Raises Broken when the writer made
        something else, or the disk fails.
        """
        self._remove_abandoned()
        for _ in range(_TRIES):
            with locked(self._folder(sha256) / f"{_digits(sha256)}.lock"):
                found = self.path(sha256)
                if found:
                    return found
                with self._making(sha256) as content:
                    if _written(writer, content) and (made := self._moved(sha256, content, checked)):
                        self._room.make(0)
                        return made
        raise Broken(
            f"the cache {self._root} was deleted {_TRIES} times while {sha256} was written", advice="let it be for a while"
        )

    def scratch(self, purpose: str) -> Path:
        """A new empty folder for short use; the caller removes it. One that is left behind goes after a day."""
        self._remove_abandoned()
        parent = self._root / "scratch"
        with disk_failures(parent):
            parent.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=parent))

    def _moved(self, sha256: str, content: Path, checked: bool) -> Path | None:
        try:
            if not checked and (found := digest_of(content)) != sha256:
                raise Broken(f"the cache was given a file with the digest {found}, expected {sha256}")
            return self._put_in_place(sha256, content)
        except FileNotFoundError:
            return None  # the cache was deleted

    def _put_in_place(self, sha256: str, content: Path) -> Path | None:
        for spoilt in _matching(self._folder(sha256), f"{_digits(sha256)}-*"):
            spoilt.unlink(missing_ok=True)
        seal(content)
        # Held before it has its name, so that it is never there for others to evict.
        if not self._held.hold(content):
            return None
        target = self._folder(sha256) / f"{_digits(sha256)}-{content.stat().st_size}"
        try:
            content.replace(target)  # no fsync: what a power failure does to the file is noticed when it is asked for
        except BaseException:
            self._held.drop(content)
            raise
        self._held.renamed(content, target)
        return target

    @contextmanager
    def _making(self, sha256: str) -> Iterator[Path]:
        # The lock is ours, so another folder for the same file belongs to a process that died.
        for left in self._writing(sha256):
            shutil.rmtree(left, ignore_errors=True)
        folder = self._folder(sha256) / f"{_digits(sha256)}.{uuid4().hex}.writing"
        with disk_failures(folder):
            folder.mkdir(parents=True)
        try:
            yield folder / "content"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _writing(self, sha256: str) -> list[Path]:
        return _matching(self._folder(sha256), f"{_digits(sha256)}.*.writing")

    def _under_way(self, sha256: str) -> int:
        """Bytes of the disk that the process which makes this file has taken already."""
        taken = 0
        for folder in self._writing(sha256):
            with suppress(FileNotFoundError):
                taken += sum(entry.stat().st_blocks * _BLOCK_BYTES for entry in os.scandir(folder))
        return taken

    def _remove_abandoned(self) -> None:
        for folder in _matching(self._root, "sha256/*/*.writing"):
            # Whoever writes has the lock, until it dies.
            with locked_now(folder.parent / f"{folder.name.partition('.')[0]}.lock") as ours:
                if ours:
                    shutil.rmtree(folder, ignore_errors=True)
        before = time.time() - _ABANDONED_SECONDS
        for folder in _matching(self._root, "scratch/*"):
            with suppress(FileNotFoundError):
                if folder.stat().st_mtime < before:
                    shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, sha256: str) -> Path:
        return self._root / "sha256" / _digits(sha256)[:2]


def _written(writer: Callable[[Path], None], content: Path) -> bool:
    try:
        writer(content)
    except Exception:
        # When somebody deleted the cache while the writer was at work, its failure means nothing.
        if content.parent.is_dir():
            raise
        return False
    return True


def _matching(folder: Path, pattern: str) -> list[Path]:
    # Path.glob raises when a folder goes away under it.
    return [folder / name for name in glob.glob(pattern, root_dir=folder)]


def _digits(sha256: str) -> str:
    return digest.check(sha256).removeprefix("sha256:")
