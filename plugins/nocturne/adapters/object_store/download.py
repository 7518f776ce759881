"""One blob to one file: pinned, in parallel ranges, each written straight to its place, in a few MiB of memory."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.domain.errors import BlobChanged, Broken, Rejected
from nocturne.domain.model import ModelFile
from nocturne.ports.model_store import Progress

_HASH_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Pace:
    """How a blob is cut up. range_bytes: of one request. at_once: requests under way."""

    range_bytes: int = 16 * 1024 * 1024
    at_once: int = 8


@dataclass(frozen=True)
class Download:
    """One file of a frozen model. path: of the blob. e_tag: what it is pinned to. file: what its bytes must be."""

    blobs: Blobs
    path: str
    e_tag: str
    file: ModelFile
    pace: Pace = Pace()

    def to(self, destination: Path, progress: Progress) -> None:
        """Fetch to `destination`, which appears whole or not at all. Raises BlobChanged, Rejected or Broken."""
        with _whole_or_nothing(destination) as descriptor:
            os.truncate(descriptor, self.file.size)
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
        for chunk in self.blobs.read_range(self.path, self.e_tag, start, end):
            _write(descriptor, chunk, place)
            place += len(chunk)
        if place != end:
            raise Broken(f"reading the blob {self.path} failed: found {place - start} bytes, expected {end - start} at {start}")
        return start, end

    def _check_unchanged(self) -> None:
        # Bytes that do not fit may also mean a store that did not keep to the pin, as a file overwritten in place under us.
        blob = self.blobs.stat(self.path)
        if blob is None or blob.e_tag != self.e_tag:
            raise BlobChanged(
                f"the blob {self.path} was overwritten or deleted since this run began: its ETag is no longer {self.e_tag}",
                advice="start a new run; it freezes what is there now",
            )


@contextmanager
def _whole_or_nothing(destination: Path) -> Iterator[int]:
    part = destination.with_name(f".{uuid4().hex}.part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb+") as file:
            yield file.fileno()
        part.replace(destination)
    except OSError as error:
        raise Broken(
            f"writing {destination} failed: {error.strerror or error}", advice="look at the disk of this worker"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write(descriptor: int, content: bytes, place: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, place)
        view, place = view[written:], place + written


def _update(sha256: "hashlib._Hash", descriptor: int, start: int, end: int) -> None:
    for place in range(start, end, _HASH_BYTES):
        sha256.update(os.pread(descriptor, min(_HASH_BYTES, end - place), place))
