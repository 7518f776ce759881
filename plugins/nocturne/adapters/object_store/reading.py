"""Reading what is published: the list of versions, and a version frozen for a run."""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from nocturne.adapters.object_store.blobs import Blob, Blobs
from nocturne.adapters.object_store.latest import Choice, LatestRule, newest_first
from nocturne.adapters.object_store.layout import Layout, is_version
from nocturne.adapters.object_store.manifests import read_manifest, read_signature
from nocturne.domain.configuration import Latest
from nocturne.domain.errors import BadBlob, Broken, NotFound, Rejected
from nocturne.domain.model import FrozenModel, ModelFile, ModelManifest
from nocturne.ports.model_store import ModelListing

_AT_ONCE = 8
_LISTED = 10
_PUBLISH = "publish one: nocturne models publish DIR"
_log = logging.getLogger(__name__)


def freeze(blobs: Blobs, layout: Layout, rule: LatestRule, version: str | None) -> FrozenModel:
    """Pin a version or the latest one, as the port `ModelStore.freeze` says."""
    manifest = _latest_manifest(blobs, layout, rule) if version is None else named(blobs, layout, version)
    to_blame = (f"{layout.name}/{manifest.version}",)
    found = stat_all(blobs, [layout.file(manifest.version, file.path) for file in manifest.files])
    faults = [fault for file, blob in zip(manifest.files, found, strict=True) if (fault := _fault(file, blob))]
    if faults:
        listing = "".join(f"\n  - {fault}" for fault in faults)
        raise BadBlob(
            f"the model {layout.name} {manifest.version} is not what its manifest says:{listing}",
            advice="publish it again under a new version's name",
            culprits=to_blame,
        )
    there = {file.path: blob for file, blob in zip(manifest.files, found, strict=True) if blob}
    signature = read_signature(blobs, layout.signature(manifest.version), to_blame)
    return frozen_model(manifest, there, signature)


def frozen_model(
    manifest: ModelManifest, there: dict[str, Blob], signature: str, derived: dict[str, str] | None = None
) -> FrozenModel:
    """A manifest, pinned to the blobs that are there now."""
    metrics = manifest.card.get("metrics")
    return FrozenModel(
        name=manifest.name,
        version=manifest.version,
        digest=manifest.digest,
        created_at=manifest.created_at,
        files=manifest.files,
        etags={path: blob.e_tag for path, blob in there.items()},
        versions={path: blob.version for path, blob in there.items() if blob.version},
        derived=derived or {},
        metrics=metrics if isinstance(metrics, dict) else {},
        signature=signature,
    )


def latest(blobs: Blobs, layout: Layout, rule: LatestRule) -> Choice:
    """Which version a night would take. Raises NotFound, which names what there is, Rejected for a pointer that cannot be read."""
    choice = rule.choose(blobs, layout)
    if choice is None:
        raise _nothing_latest(blobs, layout, rule)
    return choice


def versions(blobs: Blobs, layout: Layout, rule: LatestRule, limit: int | None) -> list[ModelListing]:
    """Whole versions, newest first. A version whose manifest cannot be read is left out, with a warning in the log."""
    ordered = newest_first(blobs, layout)
    marked = _latest_of(blobs, layout, rule, ordered)
    names = iter(ordered)
    found: list[ModelManifest] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # More than once only where some of them cannot be read.
        while batch := list(islice(names, None if limit is None else limit - len(found))):
            found += [manifest for manifest in pool.map(lambda name: _readable(blobs, layout, name), batch) if manifest]
    return [ModelListing(manifest.version, manifest.version == marked, manifest) for manifest in found]


def named(blobs: Blobs, layout: Layout, version: str, because: str = "") -> ModelManifest:
    """The manifest of a version. Raises NotFound, which names the newest ones, and BadBlob."""
    manifest = read_manifest(blobs, layout, version) if is_version(version) else None
    if manifest is None:
        whole = _names(blobs, layout)
        raise NotFound(
            f"found no whole version {version!r} of the model {layout.name}{because}; there are: {whole or 'none'}",
            advice="name one of them" if whole else _PUBLISH,
        )
    return manifest


def faults_of_reading(blobs: Blobs, layout: Layout) -> list[str]:
    """What keeps the store from being read, as the port `ModelStore.check` says."""
    try:
        blobs.folders(layout.name)
    except Broken as error:
        return [str(error)]
    return []


def stat_all(blobs: Blobs, paths: Iterable[str]) -> list[Blob | None]:
    """What is known of each of some blobs, in their order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(blobs.stat, paths))


def _latest_manifest(blobs: Blobs, layout: Layout, rule: LatestRule) -> ModelManifest:
    choice = latest(blobs, layout, rule)
    manifest = named(blobs, layout, choice.version, because=f" ({choice.because})")
    if choice.digest and manifest.digest != choice.digest:
        raise BadBlob(
            f"{layout.latest} says {manifest.version} has digest {choice.digest}, its manifest says {manifest.digest}",
            advice="the version was changed after it was published; publish it again under a new version's name",
            culprits=(f"{layout.name}/{manifest.version}",),
        )
    return manifest


def _latest_of(blobs: Blobs, layout: Layout, rule: LatestRule, newest_first: list[str]) -> str | None:
    if rule.kind is Latest.NEWEST:  # known already
        return next(iter(newest_first), None)
    choice = rule.choose(blobs, layout)
    return choice.version if choice else None


def _nothing_latest(blobs: Blobs, layout: Layout, rule: LatestRule) -> NotFound:
    whole = _names(blobs, layout)
    if not whole:
        return NotFound(f"no model {layout.name} was ever published", advice=_PUBLISH)
    if rule.kind is Latest.HIGHEST:
        return NotFound(
            f"no version of the model {layout.name} is called by a semantic version such as 1.4.0; there are: {whole}",
            advice=f'name one, publish one under such a name, or change latest = "{rule.kind}" in release.toml',
        )
    return NotFound(
        f"no version of the model {layout.name} is the latest; there are: {whole}",
        advice="make one the latest: nocturne models latest VERSION",
    )


def _names(blobs: Blobs, layout: Layout) -> str:
    names = newest_first(blobs, layout)
    more = f" and {len(names) - _LISTED:,} older" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _readable(blobs: Blobs, layout: Layout, version: str) -> ModelManifest | None:
    try:
        return read_manifest(blobs, layout, version)
    except Rejected as error:
        _log.warning("left out of the list: %s", error)
        return None


def _fault(file: ModelFile, blob: Blob | None) -> str:
    if blob is None:
        return f"{file.path}: found no such blob, expected {file.size:,} bytes"
    if blob.size != file.size:
        return f"{file.path}: found {blob.size:,} bytes, expected {file.size:,}"
    return ""
