"""Publishing: claim the name, then the files, then the manifest, then the pointer."""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.layout import Layout, is_version
from nocturne.adapters.object_store.pointer import Pointer, PointerSeen, move_pointer, read_pointer
from nocturne.domain.errors import Broken, Conflict, Rejected
from nocturne.domain.model import MANIFEST, ModelFile, ModelManifest, safe_path
from nocturne.ports.model_store import Progress

_CHUNK_BYTES = 4 * 1024 * 1024
_ANOTHER = "publish under another version's name"


def publish(
    blobs: Blobs, layout: Layout, folder: Path, manifest: ModelManifest, progress: Progress, now: Callable[[], datetime]
) -> None:
    """Upload a version and make it the latest, as the port `ModelStore.publish` says."""
    _check(layout, folder, manifest)
    seen = read_pointer(blobs, layout.latest)
    if blobs.stat(layout.manifest(manifest.version)):
        raise Conflict(f"the version {manifest.version} of {layout.name} exists already", advice=_ANOTHER)
    ours_alone = _claim(blobs, layout, manifest)
    for file in manifest.files:
        _upload(blobs, layout.file(manifest.version, file.path), folder / file.path, file, progress, resume=not ours_alone)
    if not blobs.create(layout.manifest(manifest.version), manifest.to_json()):
        raise Conflict(f"somebody else published the version {manifest.version} of {layout.name} meanwhile", advice=_ANOTHER)
    _point(blobs, layout, Pointer(manifest.version, manifest.digest, now().isoformat()), seen)


def _check(layout: Layout, folder: Path, manifest: ModelManifest) -> None:
    faults = []
    if manifest.name != layout.name:
        faults.append(f"the model is called {manifest.name!r}, this store holds {layout.name!r}")
    if not is_version(manifest.version):
        faults.append(f"{manifest.version!r} cannot name a version")
    faults += [fault for file in manifest.files if (fault := _file_fault(folder, file))]
    if faults:
        raise Rejected("this cannot be published:" + "".join(f"\n  - {fault}" for fault in faults), advice="correct the folder")


def _file_fault(folder: Path, file: ModelFile) -> str:
    if file.path == MANIFEST or not safe_path(file.path):
        return f"no file of a model can be called {file.path}"
    if not (folder / file.path).is_file():
        return f"{file.path}: found no such file in {folder}"
    if (size := (folder / file.path).stat().st_size) != file.size:
        return f"{file.path}: found {size:,} bytes, expected {file.size:,}"
    return ""


def _claim(blobs: Blobs, layout: Layout, manifest: ModelManifest) -> bool:
    """Take the version's name for these files. False when it was taken for the same files before, by a publisher that died or
    is at work beside us: going on is right then, since it uploads the same bytes.

    Large files cannot be uploaded under a condition, so without a claim two publishers could mix their files.
    """
    path = layout.claim(manifest.version)
    if blobs.create(path, json.dumps({"digest": manifest.digest, "at": manifest.created_at}).encode()):
        return True
    there = blobs.read(path)
    claimed = there.content.decode(errors="replace") if there else "nothing"
    if manifest.digest not in claimed:
        raise Conflict(
            f"the version {manifest.version} of {layout.name} is being published with other files, or was and broke off:"
            f" found the claim {claimed[:200]}, expected {manifest.digest}",
            advice=_ANOTHER,
        )
    return False


def _upload(blobs: Blobs, path: str, source: Path, file: ModelFile, progress: Progress, *, resume: bool) -> None:
    if resume and _present(blobs, path, file):
        progress(file.size)
        return
    try:
        _send(blobs, path, source, file, progress)
    except Broken:
        # Two uploads of one blob can spoil each other; whichever was quicker wrote the same bytes.
        if not _present(blobs, path, file):
            raise


def _present(blobs: Blobs, path: str, file: ModelFile) -> bool:
    blob = blobs.stat(path)
    return blob is not None and blob.size == file.size


def _send(blobs: Blobs, path: str, source: Path, file: ModelFile, progress: Progress) -> None:
    """Upload in another thread, so that `progress` is called, and an interrupt is heard, in the caller's."""
    moved: SimpleQueue[int] = SimpleQueue()
    stop = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="upload") as pool:
        upload = pool.submit(blobs.upload, path, _chunks(source, file, moved.put, stop))
        upload.add_done_callback(lambda _: moved.put(0))
        try:
            while count := moved.get():
                progress(count)
        finally:
            stop.set()
    upload.result()


def _chunks(source: Path, file: ModelFile, progress: Progress, stop: Event) -> Iterator[bytes]:
    """The file's bytes. Raises Rejected at the end when they are not those of the manifest, before the blob comes into being."""
    sha256 = hashlib.sha256()
    with source.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if stop.is_set():
                raise Broken(f"the upload of {file.path} was interrupted")
            sha256.update(chunk)
            yield chunk
            progress(len(chunk))
    if (found := f"sha256:{sha256.hexdigest()}") != file.sha256:
        raise Rejected(
            f"{file.path} changed while it was being published: found {found}, expected {file.sha256}",
            advice="publish again when nothing writes to the folder",
        )


def _point(blobs: Blobs, layout: Layout, pointer: Pointer, seen: PointerSeen | None) -> None:
    other = move_pointer(blobs, layout.latest, pointer, seen)
    if other:
        raise Conflict(
            f"the version {pointer.version} of {layout.name} is uploaded whole, but somebody else made {other.version} the latest"
            f" meanwhile, on {other.at}; `latest` was left there",
            advice=f"release {pointer.version} by its name, or publish it again under a new one to make it the latest",
        )
