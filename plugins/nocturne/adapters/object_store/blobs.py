"""The few things that the model store asks of an object store, with its client's errors told in Nocturne's."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from obstore.exceptions import AlreadyExistsError, BaseError, GenericError, PreconditionError
from obstore.store import AzureStore, LocalStore

from nocturne.adapters.object_store.client import asking_once, patience_of
from nocturne.adapters.object_store.failures import container_is_missing, store_failures
from nocturne.adapters.object_store.patience import Patience
from nocturne.domain.errors import BadBlob, BlobChanged

if TYPE_CHECKING:
    from pathlib import Path

    from obstore import GetOptions, ObjectMeta
    from obstore.store import ObjectStore

T = TypeVar("T")

_STREAM_BYTES = 1024 * 1024
# What the client has gathered of a piece is lost when the connection breaks, so on a bad line pieces are small.
_CAREFUL_BYTES = 64 * 1024
_LIST_BLOBS = 1000
_TEXT_BYTES = 4 * 1024 * 1024
# The least that S3 takes, and 10,000 parts make 50 GB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html. The
# client's read timeout runs while it still sends, so all parts under way must be gone within it: on 30 s of timeout this asks for
# 4.2 Mbit/s of uplink.
_UPLOAD_PART_BYTES = 5 * 1024 * 1024
_UPLOADS_AT_ONCE = 3


@dataclass(frozen=True)
class Blob:
    """What is known of a blob. size: bytes. modified_at: by the store's clock. content: empty where it was not asked for.

    version: the store's id of this version of the blob, empty where the store keeps none.
    """

    e_tag: str
    size: int
    modified_at: datetime
    content: bytes = b""
    version: str = ""


class Blobs:
    """Blobs of one container or folder. Every method raises Broken when the store is out of reach or refuses."""

    def __init__(self, store: "ObjectStore", patience: Patience | None = None) -> None:
        """patience: with what only reads; by default as the store was told when it was opened."""
        self._store = store
        self._patience = patience or Patience(patience_of(store))
        self._asking_once = asking_once(store)
        self._sas_token = str(store.config.get("sas_key", "")) if isinstance(store, AzureStore) else ""

    def read(self, path: str, at_most: int = _TEXT_BYTES) -> Blob | None:
        """A whole small blob, None when there is none. Raises BadBlob, and reads nothing, when it has more than `at_most` bytes."""
        with self._failures(f"reading the blob {path}"):
            try:
                return self._patiently(lambda: self._whole(path, at_most))
            except FileNotFoundError as error:
                if container_is_missing(error):
                    raise
                return None

    def stat(self, path: str) -> Blob | None:
        """Size and ETag, None when there is no such blob."""
        with self._failures(f"looking at the blob {path}"):
            try:
                return _blob(self._patiently(lambda: self._asking_once.head(path)))
            except FileNotFoundError:
                return None

    def read_range(self, path: str, e_tag: str, start: int, end: int, version: str = "") -> Iterator[bytes]:
        """The bytes from `start` up to `end`, in pieces of a MiB or so. version: the store's own id, where it keeps versions.

        Where the connection breaks, or the store is busy, it is gone on with at the byte that is missing; Broken when nothing
        arrives for as long as the store's retries last. Raises BlobChanged when the blob has another ETag by now.
        """
        options: dict[str, Any] = {"if_match": e_tag} | ({"version": version} if version else {})
        attempts, place, at_least = self._patience.begin(), start, _STREAM_BYTES
        with self._failures(f"reading the blob {path}"):
            while place < end:
                self._patience.wait()
                try:
                    for piece in self._pieces(path, {**options, "range": (place, end)}, at_least):
                        yield piece
                        place += len(piece)
                        attempts.moved()
                    if place < end:
                        # The client takes a body for whole that ends early where the store did not say how long it is.
                        raise GenericError(f"HTTP error: {end - place} bytes are missing")
                except (PreconditionError, FileNotFoundError) as error:
                    raise BlobChanged(
                        f"the blob {path} was overwritten or deleted since this run began: its ETag is no longer {e_tag}",
                        advice="start a new run; it freezes what is there now",
                    ) from error
                except BaseError as error:
                    at_least = _CAREFUL_BYTES
                    if not attempts.again(error):
                        raise

    def folders(self, path: str) -> list[str]:
        """The names of the folders directly below a path."""
        with self._failures(f"listing the blobs below {path}/"):
            found = self._patiently(lambda: self._asking_once.list_with_delimiter(path))
        return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"])

    def below(self, path: str) -> list[tuple[str, Blob]]:
        """Every blob below a path, at any depth: its path from the top of the store, and what a list tells of it (no version)."""
        with self._failures(f"listing the blobs below {path}/"):
            found = self._patiently(lambda: list(self._asking_once.list(path, chunk_size=_LIST_BLOBS)))
        return [(meta["path"], _blob(meta)) for chunk in found for meta in chunk]

    def create(self, path: str, content: bytes) -> bool:
        """Write a small blob; False when there is one already, which stays as it is."""
        with self._failures(f"writing the blob {path}"):
            try:
                self._store.put(path, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def replace(self, path: str, content: bytes, e_tag: str) -> bool:
        """Overwrite a small blob; False when its ETag is no longer the given one: somebody else was there first."""
        with self._failures(f"writing the blob {path}"):
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
        with self._failures(f"writing the blob {path}"):
            self._store.put(path, chunks, chunk_size=_UPLOAD_PART_BYTES, max_concurrency=_UPLOADS_AT_ONCE)

    def _whole(self, path: str, at_most: int) -> Blob:
        result = self._asking_once.get(path)
        if (size := result.meta["size"]) > at_most:
            raise BadBlob(f"{path} has {size:,} bytes, expected {at_most:,} at most", advice="look at what was uploaded")
        return _blob(result.meta, result.bytes().to_bytes())

    def _pieces(self, path: str, options: dict[str, Any], at_least: int) -> Iterator[bytes]:
        yield from self._asking_once.get(path, options=cast("GetOptions", options)).stream(min_chunk_size=at_least)

    def _patiently(self, ask: Callable[[], T]) -> T:
        attempts = self._patience.begin()
        while True:
            self._patience.wait()
            try:
                return ask()
            except BaseError as error:
                if not attempts.again(error):
                    raise

    def _failures(self, doing: str) -> AbstractContextManager[None]:
        return store_failures(doing, self._sas_token)

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
    version = meta["version"] or ""
    # S3 calls so what a bucket without (or with suspended) versioning holds, and it is overwritten in place:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/VersioningWorkflows.html
    return Blob(meta["e_tag"] or "", meta["size"], meta["last_modified"], content, "" if version == "null" else version)
