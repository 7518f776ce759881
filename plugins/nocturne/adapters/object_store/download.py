"""One blob to one file: pinned, in parallel ranges, each written straight to its place, in a few MiB of memory."""

import errno
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.domain.errors import BlobChanged, Broken, NotFound, Rejected
from nocturne.domain.model import FrozenModel, ModelFile
from nocturne.ports.model_store import Progress

# Small enough to stay in the processor's own cache between reading and hashing.
_HASH_BYTES = 256 * 1024
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Pace:
    """How a blob is cut up. range_bytes: of one request. at_once: requests under way. Chosen with benchmarks/fetch.py."""

    range_bytes: int = 8 * 1024 * 1024
    at_once: int = 8


def fetch(
    blobs: Blobs, blob: str, model: FrozenModel, path: str, destination: Path, progress: Progress, pace: Pace | None = None
) -> None:
    """One file of a frozen model, from the blob that holds it. Raises NotFound where it has no such file, and as `Download`."""
    files = {file.path: file for file in model.files}
    if path not in files or path not in model.etags:
        raise NotFound(f"found no file {path} in the model {model.version}; there are: {', '.join(files)}")
    download = Download(blobs, blob, model.etags[path], files[path], pace or Pace(), model.versions.get(path, ""))
    download.to(destination, progress)


@dataclass(frozen=True)
class Download:
    """One file of a frozen model. path: of the blob. e_tag: what it is pinned to. file: what its bytes must be.

    version: the store's id of the frozen version of the blob, empty where the store keeps none; such a blob can be fetched even
    when it was overwritten.
    """

    blobs: Blobs
    path: str
    e_tag: str
    file: ModelFile
    pace: Pace = Pace()
    version: str = ""

    def to(self, destination: Path, progress: Progress) -> None:
        """Fetch to `destination`, which appears whole or not at all. Raises BlobChanged, Rejected or Broken."""
        with whole_or_nothing(destination) as descriptor:
            _allocate(descriptor, self.file.size)
            found = self._fill(descriptor, progress)
            if found != self.file.sha256 or self.file.size == 0:
                self._check_unchanged()
            if found != self.file.sha256:
                raise Rejected(
                    f"the blob {self.path} is corrupt: found {found}, expected {self.file.sha256}",
                    advice="publish the model again under a new version's name",
                )

    def _fill(self, descriptor: int, progress: Progress) -> str:
        sha256 = hashlib.sha256()
        with ThreadPoolExecutor(self.pace.at_once, thread_name_prefix="fetch") as pool:
            try:
                # In order of their places, so that hashing follows the front of what has arrived, while the rest still comes.
                for start, end in pool.map(lambda place: self._fetch(descriptor, *place), self._ranges()):
                    _update(sha256, descriptor, start, end)
                    progress(end - start)
            finally:
                pool.shutdown(cancel_futures=True)
        return f"sha256:{sha256.hexdigest()}"

    def _ranges(self) -> Iterator[tuple[int, int]]:
        for start in range(0, self.file.size, self.pace.range_bytes):
            yield start, min(start + self.pace.range_bytes, self.file.size)

    def _fetch(self, descriptor: int, start: int, end: int) -> tuple[int, int]:
        place = start
        for chunk in self.blobs.read_range(self.path, self.e_tag, start, end, version=self.version):
            write_at(descriptor, chunk, place)
            place += len(chunk)
        if place != end:
            raise Broken(f"reading the blob {self.path} failed: found {place - start} bytes, expected {end - start} at {start}")
        return start, end

    def _check_unchanged(self) -> None:
        if self.version:
            return  # a version of a blob never changes, whatever became the newest one
        # Bytes that do not fit may also mean a store that did not keep to the pin, as a file overwritten in place under us.
        blob = self.blobs.stat(self.path)
        if blob is None or blob.e_tag != self.e_tag:
            raise BlobChanged(
                f"the blob {self.path} was overwritten or deleted since this run began: its ETag is no longer {self.e_tag}",
                advice="start a new run; it freezes what is there now",
            )


@contextmanager
def whole_or_nothing(destination: Path) -> Iterator[int]:
    """An open file to fill, which becomes `destination` at the end, and is gone when anything is raised. Raises Broken."""
    part = destination.with_name(f".{uuid4().hex}.part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb+") as file:
            yield file.fileno()
        part.replace(destination)
    except OSError as error:
        full = error.errno in _DISK_IS_FULL
        advice = "free some space there, or let NOCTURNE_CACHE name a folder on a larger disk" if full else "look at that disk"
        raise Broken(f"writing {destination} failed: {error.strerror or error}", advice=advice) from error
    finally:
        with suppress(OSError):  # a disk that refuses this has refused more before
            part.unlink()


def _allocate(descriptor: int, size: int) -> None:
    # Taken at once: a disk that is too full says so before the first byte comes, and another download cannot count on this space.
    if size:
        os.posix_fallocate(descriptor, 0, size)


def write_at(descriptor: int, content: bytes, place: int) -> None:
    """All of `content`, beginning at the byte `place` of an open file."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, place)
        view, place = view[written:], place + written


def _update(sha256: "hashlib._Hash", descriptor: int, start: int, end: int) -> None:
    buffer = memoryview(bytearray(min(_HASH_BYTES, end - start)))
    while start < end:
        read = os.preadv(descriptor, [buffer[: end - start]], start)
        sha256.update(buffer[:read])
        start += read
