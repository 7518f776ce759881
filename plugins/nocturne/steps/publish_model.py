"""What `nocturne models publish` does: check a folder, name the version, sign it, upload it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from nocturne.domain.errors import Conflict
from nocturne.domain.model import SIGNATURE, ModelManifest, version_name
from nocturne.ports.clock import Clock
from nocturne.ports.model_store import ModelStore, Progress
from nocturne.steps.model_folder import ModelFolder, look_at

_LOOKED_AT = 50
_log = logging.getLogger(__name__)

Sign = Callable[[Path, tuple[str, ...]], str]
"""Gives the text of a signature over some files of a folder."""


@dataclass(frozen=True)
class Terms:
    """How to publish. formats: the suffixes that the card's model file may have. sign: None for an unsigned model."""

    formats: tuple[str, ...] = (".onnx",)
    sign: Sign | None = None


def publish_model(
    store: ModelStore,
    folder: Path,
    version: str | None,
    clock: Clock,
    progress: Progress,
    note: Callable[[str], None] = _log.info,
    terms: Terms | None = None,
) -> ModelManifest:
    """Publish the folder's files as a version, and make it the latest.

    version: None for one made of the time and the digest (`20261122-0200-3f2a1b`), or for the one under which the same files were
    being published when it broke off. progress: told the uploaded bytes. note: told what the data scientist should know, a sentence
    at a time.
    Raises Rejected with every fault of the folder, Conflict when the version, or for None the same content, is published
    already, Broken when the store is out of reach.
    """
    terms = terms or Terms()
    model = look_at(folder, version, terms.formats)
    for told in _left_out(model):
        note(told)
    now = clock.now().astimezone(UTC)
    draft = ModelManifest(model.name, version or "", now.isoformat(), model.hashed(), model.card)
    if version is None:
        version = store.unfinished(draft.digest)
        if version:
            note(f"going on with {version}, the publishing of the same files that broke off")
        else:
            _check_new(store, draft)
            version = version_name(now, draft.digest)
    manifest = replace(draft, version=version)
    store.publish(folder, manifest, progress, terms.sign(folder, model.paths) if terms.sign else "")
    return manifest


def _left_out(model: ModelFolder) -> list[str]:
    hidden = ", ".join(path for path in model.ignored if path != SIGNATURE)
    told = [f"left out, because hidden: {hidden}"] if hidden else []
    if SIGNATURE in model.ignored:
        told.append(f"left out: {SIGNATURE}, a signature that was made before; --sign KEY makes one of what is published")
    return told


def _check_new(store: ModelStore, draft: ModelManifest) -> None:
    """Among the newest versions only: whoever publishes an old model again means it."""
    same = [listing for listing in store.versions(_LOOKED_AT) if listing.manifest.digest == draft.digest]
    if not same:
        return
    there = same[0]
    standing = "which is the latest" if there.latest else "which is not the latest"
    raise Conflict(
        f"this model is published already, as version {there.version} ({standing}): found the same digest {draft.digest}",
        advice=f"to make it the latest: nocturne models latest {there.version}; to publish it again: --version NAME",
    )
