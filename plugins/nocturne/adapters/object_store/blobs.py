"""The few things that the model store asks of an object store, with its client's errors told in Nocturne's."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import LocalStore

from nocturne.adapters.object_store.failures import container_is_missing, store_failures
from nocturne.domain.errors import BlobChanged

if TYPE_CHECKING:
    from pathlib import Path

    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_STREAM_BYTES = 4 * 1024 * 1024
# The client's read timeout runs while it still sends, so all parts under way must be gone within it: on 30 s of timeout this
# asks for 3.4 Mbit/s of uplink.
_UPLOAD_PART_BYTES = 4 * 1024 * 1024
_UPLOADS_AT_ONCE = 3


@dataclass(frozen=True)
class Blob:
    """What is known of a blob. size: bytes. content: empty where it was not asked for."""

    e_tag: str
    size: int
    content: bytes = b""


class Blobs:
    """Blobs of one container or folder. Every method raises Broken when the store is out of reach or refuses."""

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store

    def read(self, path: str) -> Blob | None:
        """A whole small blob, None when there is none."""
        with store_failures(f"reading the blob {path}"):
            try:
                result = self._store.get(path)
            except FileNotFoundError as error:
                if container_is_missing(error):
                    raise
                return None
            content = result.bytes().to_bytes()
        return _blob(result.meta, content)

    def stat(self, path: str) -> Blob | None:
        """Size and ETag, None when there is no such blob."""
        with store_failures(f"looking at the blob {path}"):
            try:
                return _blob(self._store.head(path))
            except FileNotFoundError:
                return None

    def read_range(self, path: str, e_tag: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` up to `end`, in pieces of some MiB. Raises BlobChanged when the blob has another ETag by now."""
        with store_failures(f"reading the blob {path}"):
            try:
                result = self._store.get(path, options={"if_match": e_tag, "range": (start, end)})
                yield from result.stream(min_chunk_size=_STREAM_BYTES)
            except (PreconditionError, FileNotFoundError) as error:
                raise BlobChanged(
                    f"the blob {path} was overwritten or deleted since this run began: its ETag is no longer {e_tag}",
                    advice="start a new run; it freezes what is there now",
                ) from error

    def folders(self, path: str) -> list[str]:
        """The names of the folders directly below a path."""
        with store_failures(f"listing the blobs below {path}/"):
            found = self._store.list_with_delimiter(path)
        return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"])

    def create(self, path: str, content: bytes) -> bool:
        """Write a small blob; False when there is one already, which stays as it is."""
        with store_failures(f"writing the blob {path}"):
            try:
                self._store.put(path, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def replace(self, path: str, content: bytes, e_tag: str) -> bool:
        """Overwrite a small blob; False when its ETag is no longer the given one: somebody else was there first."""
        with store_failures(f"writing the blob {path}"):
            if isinstance(self._store, LocalStore):
                return self._replace_file(path, content, e_tag)
            try:
                self._store.put(path, content, mode={"e_tag": e_tag})
            except PreconditionError:
                return False
        return True

    def upload(self, path: str, chunks: Iterator[bytes]) -> None:
        """Write a blob of any size. It appears whole or, when `chunks` raises, not at all; what `chunks` raises passes.

        `chunks` runs in the client's own thread and must not use a store.
        """
        with store_failures(f"writing the blob {path}"):
            self._store.put(path, chunks, chunk_size=_UPLOAD_PART_BYTES, max_concurrency=_UPLOADS_AT_ONCE)

    def _replace_file(self, path: str, content: bytes, e_tag: str) -> bool:
        # object_store has no conditional overwrite for files: a lock makes look-and-write one step among all Nocturnes that
        # share the folder. A program that writes the file without the lock is not kept out.
        with _locked(cast("Path", cast("LocalStore", self._store).prefix) / path):
            if self._store.head(path)["e_tag"] != e_tag:
                return False
            self._store.put(path, content)
        return True


@contextmanager
def _locked(path: "Path") -> Iterator[None]:
    # No version's name begins with an underscore, so the lock stands in the way of none.
    with path.with_name(f"_{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _blob(meta: "ObjectMeta", content: bytes = b"") -> Blob:
    return Blob(meta["e_tag"] or "", meta["size"], content)
