"""Reading what is published: the manifests, the list of versions, and a version frozen for a run."""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from nocturne.adapters.object_store.blobs import Blob, Blobs
from nocturne.adapters.object_store.layout import Layout, is_version
from nocturne.adapters.object_store.pointer import read_pointer
from nocturne.domain.errors import BadBlob, NotFound, Rejected
from nocturne.domain.model import FrozenModel, ModelFile, ModelManifest
from nocturne.domain.model_manifest import parse_manifest
from nocturne.ports.model_store import ModelListing

_AT_ONCE = 8
_LISTED = 10
_PUBLISH = "publish one: nocturne models publish DIR"
_log = logging.getLogger(__name__)


def freeze(blobs: Blobs, layout: Layout, version: str | None) -> FrozenModel:
    """Pin a version or the latest one, as the port `ModelStore.freeze` says."""
    manifest = _latest(blobs, layout) if version is None else _named(blobs, layout, version)
    found = _stat_all(blobs, [layout.file(manifest.version, file.path) for file in manifest.files])
    faults = [fault for file, blob in zip(manifest.files, found, strict=True) if (fault := _fault(file, blob))]
    if faults:
        listing = "".join(f"\n  - {fault}" for fault in faults)
        raise BadBlob(
            f"the model {layout.name} {manifest.version} is not what its manifest says:{listing}",
            advice="publish it again under a new version's name",
            culprits=(f"{layout.name}/{manifest.version}",),
        )
    e_tags = {file.path: blob.e_tag for file, blob in zip(manifest.files, found, strict=True) if blob}
    return FrozenModel(manifest.name, manifest.version, manifest.digest, manifest.created_at, manifest.files, e_tags)


def versions(blobs: Blobs, layout: Layout) -> list[ModelListing]:
    """All whole versions, newest first. A version whose manifest cannot be read is left out, with a warning in the log."""
    seen = read_pointer(blobs, layout.latest)
    latest = seen.pointer.version if seen else None
    names = [name for name in blobs.folders(layout.name) if is_version(name)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        manifests = [manifest for manifest in pool.map(lambda name: _readable(blobs, layout, name), names) if manifest]
    newest_first = sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.version), reverse=True)
    return [ModelListing(manifest.version, manifest.version == latest, manifest) for manifest in newest_first]


def read_manifest(blobs: Blobs, layout: Layout, version: str) -> ModelManifest | None:
    """A version's manifest, None when there is none. Raises Rejected for a bad one."""
    path = layout.manifest(version)
    blob = blobs.read(path)
    if blob is None:
        return None
    to_blame = (f"{layout.name}/{version}",)
    try:
        manifest = parse_manifest(blob.content, path)
    except Rejected as error:
        raise BadBlob(error.message, advice=error.advice, culprits=to_blame) from error
    if (manifest.name, manifest.version) != (layout.name, version):
        raise BadBlob(
            f"{path} is the manifest of {manifest.name} {manifest.version}, expected that of {layout.name} {version}",
            advice="the folder was copied or renamed by hand; publish the model under the new name instead",
            culprits=to_blame,
        )
    return manifest


def _latest(blobs: Blobs, layout: Layout) -> ModelManifest:
    seen = read_pointer(blobs, layout.latest)
    if seen is None:
        raise _nothing_latest(blobs, layout)
    manifest = _named(blobs, layout, seen.pointer.version, because=f" ({layout.latest} names it)")
    if manifest.digest != seen.pointer.digest:
        raise BadBlob(
            f"{layout.latest} says {manifest.version} has digest {seen.pointer.digest}, its manifest says {manifest.digest}",
            advice="the version was changed after it was published; publish it again under a new version's name",
            culprits=(f"{layout.name}/{manifest.version}",),
        )
    return manifest


def _named(blobs: Blobs, layout: Layout, version: str, because: str = "") -> ModelManifest:
    manifest = read_manifest(blobs, layout, version) if is_version(version) else None
    if manifest is None:
        whole = _names(versions(blobs, layout))
        raise NotFound(
            f"found no whole version {version!r} of the model {layout.name}{because}; there are: {whole or 'none'}",
            advice="name one of them" if whole else _PUBLISH,
        )
    return manifest


def _nothing_latest(blobs: Blobs, layout: Layout) -> NotFound:
    whole = _names(versions(blobs, layout))
    if not whole:
        return NotFound(f"no model {layout.name} was ever published", advice=_PUBLISH)
    return NotFound(f"no version of the model {layout.name} is the latest; there are: {whole}", advice=f"name one, or {_PUBLISH}")


def _names(listings: list[ModelListing]) -> str:
    more = f" and {len(listings) - _LISTED} older" if len(listings) > _LISTED else ""
    return ", ".join(listing.version for listing in listings[:_LISTED]) + more


def _readable(blobs: Blobs, layout: Layout, version: str) -> ModelManifest | None:
    try:
        return read_manifest(blobs, layout, version)
    except Rejected as error:
        _log.warning("left out of the list: %s", error)
        return None


def _stat_all(blobs: Blobs, paths: Iterable[str]) -> list[Blob | None]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(blobs.stat, paths))


def _fault(file: ModelFile, blob: Blob | None) -> str:
    if blob is None:
        return f"{file.path}: found no such blob, expected {file.size:,} bytes"
    if blob.size != file.size:
        return f"{file.path}: found {blob.size:,} bytes, expected {file.size:,}"
    return ""
