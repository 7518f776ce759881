"""Sending the files of a version, several at once, in a few dozen MiB of memory."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.domain.errors import Broken, Rejected
from nocturne.domain.model import ModelFile
from nocturne.ports.model_store import Progress

_CHUNK_BYTES = 1024 * 1024
# Each file is sent in parts, some of them at once, that are all in memory: with more files, more memory.
_FILES_AT_ONCE = 4
_ENDED = -1


@dataclass(frozen=True)
class Parcel:
    """One file to be sent. path: of the blob."""

    path: str
    source: Path
    file: ModelFile


def send_all(blobs: Blobs, parcels: list[Parcel], progress: Progress, *, resume: bool) -> None:
    """Upload in other threads, so that `progress` is called, and an interrupt is heard, in the caller's.

    resume: a blob that is there whole is not sent again. Raises Rejected for a file that changes meanwhile, Broken.
    """
    moved: SimpleQueue[int] = SimpleQueue()
    stop = Event()
    with ThreadPoolExecutor(_FILES_AT_ONCE, thread_name_prefix="upload") as pool:
        sendings = [pool.submit(_send, blobs, parcel, moved, stop, resume=resume) for parcel in parcels]
        for sending in sendings:
            sending.add_done_callback(lambda _: moved.put(_ENDED))
        try:
            _tell(moved, sendings, progress)
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
    failures = [error for sending in sendings if not sending.cancelled() and (error := sending.exception())]
    if failures:
        # Those that were only interrupted because another one failed say nothing of why.
        raise next((error for error in failures if not isinstance(error, _Interrupted)), failures[0])


class _Interrupted(Broken):
    """An upload that was given up because of something else."""


def _tell(moved: "SimpleQueue[int]", sendings: list[Future[None]], progress: Progress) -> None:
    under_way = len(sendings)
    while under_way:
        count = moved.get()
        if count != _ENDED:
            progress(count)
            continue
        under_way -= 1
        if any(sending.done() and sending.exception() for sending in sendings):
            return


def _send(blobs: Blobs, parcel: Parcel, moved: "SimpleQueue[int]", stop: Event, *, resume: bool) -> None:
    if resume and _present(blobs, parcel):
        moved.put(parcel.file.size)
        return
    try:
        blobs.upload(parcel.path, _chunks(parcel, moved, stop))
    except Broken:
        # Two uploads of one blob can spoil each other; whichever was quicker wrote the same bytes.
        if stop.is_set() or not _present(blobs, parcel):
            raise


def _present(blobs: Blobs, parcel: Parcel) -> bool:
    blob = blobs.stat(parcel.path)
    return blob is not None and blob.size == parcel.file.size


def _chunks(parcel: Parcel, moved: "SimpleQueue[int]", stop: Event) -> Iterator[bytes]:
    """The file's bytes. Raises Rejected at the end when they are not those of the manifest, before the blob comes into being."""
    sha256 = hashlib.sha256()
    with parcel.source.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if stop.is_set():
                raise _Interrupted(f"the upload of {parcel.file.path} was interrupted")
            sha256.update(chunk)
            yield chunk
            moved.put(len(chunk))
    if (found := f"sha256:{sha256.hexdigest()}") != parcel.file.sha256:
        raise Rejected(
            f"{parcel.file.path} changed while it was being published: found {found}, expected {parcel.file.sha256}",
            advice="publish again when nothing writes to the folder",
        )
