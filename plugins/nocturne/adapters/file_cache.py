"""Files by what is in them, in a folder that any number of processes share.

<root>/sha256/<first 2 digits>/<64 digits>-<size>     a cached file; its size stands in its name, to notice a cut file at once
<root>/sha256/<first 2 digits>/<64 digits>.lock       held by the process that makes the file
<root>/sha256/<first 2 digits>/<64 digits>.*.writing  a folder in which it is made
<root>/scratch/<purpose>-*                            folders for short use
"""

import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from nocturne.domain import digest
from nocturne.domain.errors import Broken
from nocturne.ports.file_cache import FileCache

_TRIES = 3
_ABANDONED_SECONDS = 24 * 3600


class LocalFileCache(FileCache):
    """A cache below `root`, which is made when it is first needed and may be deleted at any time, even while it is written to."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, sha256: str, *, verify: bool = False) -> Path | None:
        """The cached file, None when there is none or it was cut. verify: read it all and compare its digest, too."""
        for found in _matching(self._folder(sha256), f"{_digits(sha256)}-*"):
            with suppress(FileNotFoundError):
                if str(found.stat().st_size) == found.name.rpartition("-")[2] and not (verify and _digest(found) != sha256):
                    return found
        return None

    def put(self, sha256: str, writer: Callable[[Path], None]) -> Path:
        """The cached file; `writer` makes it when it is missing. What the writer raises passes.

        Raises Broken when the writer made something else, or the disk fails.
        """
        self._remove_abandoned()
        for _ in range(_TRIES):
            with self._lock(sha256):
                found = self.path(sha256)
                if found:
                    return found
                with self._making(sha256) as content:
                    if _written(writer, content) and (made := self._moved(sha256, content)):
                        return made
        raise Broken(
            f"the cache {self._root} was deleted {_TRIES} times while {sha256} was written", advice="let it be for a while"
        )

    def scratch(self, purpose: str) -> Path:
        """A new empty folder for short use; the caller removes it. One that is left behind goes after a day."""
        self._remove_abandoned()
        parent = self._root / "scratch"
        with _disk_failures(parent):
            parent.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=parent))

    def _moved(self, sha256: str, content: Path) -> Path | None:
        try:
            return self._checked_and_moved(sha256, content)
        except FileNotFoundError:
            return None  # the cache was deleted

    def _checked_and_moved(self, sha256: str, content: Path) -> Path:
        found = _digest(content)
        if found != sha256:
            raise Broken(f"the cache was given a file with the digest {found}, expected {sha256}")
        for cut in _matching(self._folder(sha256), f"{_digits(sha256)}-*"):
            cut.unlink(missing_ok=True)
        # No fsync: after a power failure the file may be cut, which `path` notices.
        return content.replace(self._folder(sha256) / f"{_digits(sha256)}-{content.stat().st_size}")

    @contextmanager
    def _making(self, sha256: str) -> Iterator[Path]:
        # The lock is ours, so another folder for the same file belongs to a process that died.
        for left in _matching(self._folder(sha256), f"{_digits(sha256)}.*.writing"):
            shutil.rmtree(left, ignore_errors=True)
        folder = self._folder(sha256) / f"{_digits(sha256)}.{uuid4().hex}.writing"
        with _disk_failures(folder):
            folder.mkdir(parents=True)
        try:
            yield folder / "content"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _lock(self, sha256: str) -> Iterator[None]:
        path = self._folder(sha256) / f"{_digits(sha256)}.lock"
        with _disk_failures(path):
            descriptor = _lock_file(path)
        try:
            yield
        finally:
            # Unlinked before it is given up: who waits for it finds another file there, or none, and takes that.
            if _is_at(descriptor, path):
                path.unlink(missing_ok=True)
            os.close(descriptor)

    def _remove_abandoned(self) -> None:
        before = time.time() - _ABANDONED_SECONDS
        for folder in _matching(self._root, "sha256/*/*.writing") + _matching(self._root, "scratch/*"):
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


def _lock_file(path: Path) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            continue  # the folder was deleted in between
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)


def _matching(folder: Path, pattern: str) -> list[Path]:
    # Path.glob raises when a folder goes away under it.
    return [folder / name for name in glob.glob(pattern, root_dir=folder)]


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _digits(sha256: str) -> str:
    return digest.check(sha256).removeprefix("sha256:")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def _disk_failures(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Broken(
            f"the cache cannot be written at {path}: {error.strerror}", advice="look at the disk of this worker"
        ) from error
