"""Publishing: claim the name, then the files, the signature, the manifest, the pointer; then the claim is closed.

Whoever is killed anywhere on the way goes on there by publishing the same files under the same version again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nocturne.adapters.object_store import claim
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.latest import LatestRule
from nocturne.adapters.object_store.layout import Layout, is_version
from nocturne.adapters.object_store.manifests import read_manifest
from nocturne.adapters.object_store.pointer import Pointer, PointerSeen, move_pointer, read_any_pointer
from nocturne.adapters.object_store.sending import Parcel, send_all
from nocturne.adapters.object_store.times import remember_times
from nocturne.domain.configuration import Latest
from nocturne.domain.errors import Conflict, Rejected
from nocturne.domain.model import MANIFEST, MAX_MANIFEST_BYTES, SIGNATURE, ModelFile, ModelManifest, safe_path
from nocturne.ports.model_store import Progress


@dataclass(frozen=True)
class Publication:
    """What is published, and how it becomes the latest. now: the time that goes into the pointer."""

    folder: Path
    manifest: ModelManifest
    signature: str
    rule: LatestRule
    now: Callable[[], datetime]


def publish(blobs: Blobs, layout: Layout, publication: Publication, progress: Progress) -> None:
    """Upload a version and make it the latest, as the port `ModelStore.publish` says."""
    manifest = publication.manifest
    _check(layout, publication.folder, manifest)
    seen = read_any_pointer(blobs, layout.latest)
    if blobs.stat(layout.manifest(manifest.version)):
        _go_on_with_whole(blobs, layout, manifest)
        progress(manifest.size)
    else:
        _upload(blobs, layout, publication, progress)
    try:
        _point(blobs, layout, publication, seen)
    except Conflict:
        # Somebody else's version stays the latest: there is nothing left to go on with.
        claim.close(blobs, layout, manifest.version)
        raise
    claim.close(blobs, layout, manifest.version)
    remember_times(blobs, layout)


def _upload(blobs: Blobs, layout: Layout, publication: Publication, progress: Progress) -> None:
    manifest, version = publication.manifest, publication.manifest.version
    ours_alone = claim.take(blobs, layout, manifest)
    parcels = [Parcel(layout.file(version, file.path), publication.folder / file.path, file) for file in manifest.files]
    send_all(blobs, parcels, progress, resume=not ours_alone)
    if publication.signature:
        _write_signature(blobs, layout.signature(version), publication.signature.encode())
    if not _written(blobs, layout.manifest(version), manifest.to_json()):
        raise Conflict(
            f"somebody else published the version {version} of {layout.name} meanwhile",
            advice=f"look at it: nocturne models show {version}; or {claim.ANOTHER}",
        )


def _check(layout: Layout, folder: Path, manifest: ModelManifest) -> None:
    faults = []
    if manifest.name != layout.name:
        faults.append(f"the model is called {manifest.name!r}, this store holds {layout.name!r}")
    if not is_version(manifest.version):
        faults.append(f"{manifest.version!r} cannot name a version")
    if (size := len(manifest.to_json())) > MAX_MANIFEST_BYTES:
        faults.append(f"its manifest has {size:,} bytes, expected {MAX_MANIFEST_BYTES:,} at most")
    faults += [fault for file in manifest.files if (fault := _file_fault(folder, file))]
    if faults:
        raise Rejected("this cannot be published:" + "".join(f"\n  - {fault}" for fault in faults), advice="correct the folder")


def _file_fault(folder: Path, file: ModelFile) -> str:
    if file.path in (MANIFEST, SIGNATURE) or not safe_path(file.path):
        return f"no file of a model can be called {file.path}"
    if not (folder / file.path).is_file():
        return f"{file.path}: found no such file in {folder}"
    if (size := (folder / file.path).stat().st_size) != file.size:
        return f"{file.path}: found {size:,} bytes, expected {file.size:,}"
    return ""


def _go_on_with_whole(blobs: Blobs, layout: Layout, manifest: ModelManifest) -> None:
    """A version that is whole can only be gone on with, at the pointer, by whoever published it and was killed just then."""
    there = read_manifest(blobs, layout, manifest.version)
    if there is None or there.digest != manifest.digest or not claim.is_open(blobs, layout, manifest):
        raise Conflict(f"the version {manifest.version} of {layout.name} exists already", advice=claim.ANOTHER)


def _written(blobs: Blobs, path: str, content: bytes) -> bool:
    if blobs.create(path, content):
        return True
    there = blobs.read(path)  # a write whose answer was lost is tried again by the client, and then meets itself
    return there is not None and there.content == content


def _write_signature(blobs: Blobs, path: str, content: bytes) -> None:
    if blobs.create(path, content):
        return
    there = blobs.read(path)  # of a publishing that broke off
    if there and there.content != content and not blobs.replace(path, content, there.e_tag):
        raise Conflict(f"somebody else writes the signature {path} at this moment", advice="publish again")


def _point(blobs: Blobs, layout: Layout, publication: Publication, seen: PointerSeen | None) -> None:
    manifest = publication.manifest
    pointer = Pointer(manifest.version, manifest.digest, publication.now().isoformat())
    if seen and (seen.pointer.version, seen.pointer.digest) == (pointer.version, pointer.digest):
        return
    other = move_pointer(blobs, layout.latest, pointer, seen)
    if other and publication.rule.kind is Latest.POINTER:
        raise Conflict(
            f"the version {pointer.version} of {layout.name} is uploaded whole, but somebody else made {other.version} the latest"
            f" meanwhile{f', on {other.at}' if other.at else ''}; `latest` was left there",
            advice=f"make yours the latest: nocturne models latest {pointer.version}; or release it by its name",
        )
