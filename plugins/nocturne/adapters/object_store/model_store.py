"""The versions of one model in an object store."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nocturne.adapters.object_store import claim, reading, upload
from nocturne.adapters.object_store.bare_store import BareModelStore
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.download import Pace, fetch
from nocturne.adapters.object_store.latest import LatestRule
from nocturne.adapters.object_store.layout import Layout
from nocturne.adapters.object_store.pointing import point
from nocturne.adapters.object_store.times import remember_times
from nocturne.domain.configuration import Model
from nocturne.domain.model import FrozenModel, ModelManifest
from nocturne.ports.model_store import BlobDigests, ModelListing, ModelStore, Progress

if TYPE_CHECKING:
    from obstore.store import ObjectStore


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_models(store: "ObjectStore", settings: Model, digests: BlobDigests | None = None) -> ModelStore:
    """The models in a store (from `connect`), in the layout that `release.toml` says. digests: for the bare one."""
    if settings.bare:
        return BareModelStore(store, settings.name, settings.bare, digests)
    return ObjectModelStore(store, settings.name, LatestRule(settings.latest, settings.version))


class ObjectModelStore(ModelStore):
    """One model's versions in a container or a folder; `layout` says where things are.

    store: from `connect`. name: the model's, a folder of the store. rule: what counts as the latest. now: the time that goes into
    the pointer.
    """

    def __init__(
        self,
        store: "ObjectStore",
        name: str,
        rule: LatestRule | None = None,
        *,
        pace: Pace | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._blobs = Blobs(store)
        self._layout = Layout(name)
        self._rule = rule or LatestRule()
        self._pace = pace
        self._now = now

    def freeze(self, version: str | None) -> FrozenModel:
        """See the port."""
        return reading.freeze(self._blobs, self._layout, self._rule, version)

    def fetch(self, model: FrozenModel, path: str, destination: Path, progress: Progress) -> None:
        """See the port. Raises NotFound when the model has no such file."""
        fetch(self._blobs, self._layout.file(model.version, path), model, path, destination, progress, self._pace)

    def publish(self, folder: Path, manifest: ModelManifest, progress: Progress, signature: str = "") -> None:
        """See the port."""
        publication = upload.Publication(folder, manifest, signature, self._rule, self._now)
        upload.publish(self._blobs, self._layout, publication, progress)

    def unfinished(self, model_digest: str) -> str | None:
        """See the port."""
        return claim.find_open(self._blobs, self._layout, model_digest)

    def latest_version(self) -> str:
        """See the port."""
        return reading.latest(self._blobs, self._layout, self._rule).version

    def manifest(self, version: str) -> ModelManifest:
        """See the port."""
        return reading.named(self._blobs, self._layout, version)

    def point(self, version: str) -> str:
        """See the port. Raises BadBlob for a version that is not what its manifest says."""
        model = self.freeze(version)
        before = point(self._blobs, self._layout, self._rule, model, self._now().isoformat())
        remember_times(self._blobs, self._layout)
        return before

    def versions(self, limit: int | None = None) -> list[ModelListing]:
        """See the port."""
        return reading.versions(self._blobs, self._layout, self._rule, limit)

    def check(self) -> list[str]:
        """See the port."""
        return reading.faults_of_reading(self._blobs, self._layout)
