"""What `nocturne models publish` does: check a folder, name the version, upload it."""

import logging
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from nocturne.domain import digest
from nocturne.domain.errors import Conflict
from nocturne.domain.model import ModelManifest
from nocturne.ports.clock import Clock
from nocturne.ports.model_store import ModelStore, Progress
from nocturne.steps.model_folder import look_at

_log = logging.getLogger(__name__)


def publish_model(
    store: ModelStore,
    folder: Path,
    version: str | None,
    clock: Clock,
    progress: Progress,
    note: Callable[[str], None] = _log.info,
) -> ModelManifest:
    """Publish the folder's files as a version, and make it the latest.

    version: None for one made of the time and the digest (`20261122-0200-3f2a1b`). progress: told the uploaded bytes.
    note: told what the data scientist should know, a sentence at a time.
    Raises Rejected with every fault of the folder, Conflict when the version, or for None the same content, is published
    already, Broken when the store is out of reach.
    """
    model = look_at(folder, version)
    if model.ignored:
        note(f"left out, because hidden: {', '.join(model.ignored)}")
    now = clock.now().astimezone(UTC)
    draft = ModelManifest(model.name, version or "", now.isoformat(), model.hashed(), model.card)
    if version is None:
        _check_new(store, draft)
        version = f"{now:%Y%m%d-%H%M}-{digest.short(draft.digest)[:6]}"
    manifest = ModelManifest(draft.name, version, draft.created_at, draft.files, draft.card)
    store.publish(folder, manifest, progress)
    return manifest


def _check_new(store: ModelStore, draft: ModelManifest) -> None:
    same = [listing for listing in store.versions() if listing.manifest.digest == draft.digest]
    if not same:
        return
    there = same[0]
    standing = "which is the latest" if there.latest else "which is not the latest"
    raise Conflict(
        f"this model is published already, as version {there.version} ({standing}): found the same digest {draft.digest}",
        advice="to publish it again nevertheless, give it a name: --version NAME",
    )
