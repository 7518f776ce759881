"""The versions of one model in an object store."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nocturne.adapters.object_store import reading, upload
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.download import Download, Pace
from nocturne.adapters.object_store.layout import Layout
from nocturne.domain.errors import Broken, NotFound
from nocturne.domain.model import FrozenModel, ModelManifest
from nocturne.ports.model_store import ModelListing, ModelStore, Progress

if TYPE_CHECKING:
    from obstore.store import ObjectStore


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ObjectModelStore(ModelStore):
    """One model's versions in a container or a folder; `layout` says where things are.

    store: from `connect`. name: the model's, a folder of the store. now: the time that goes into the pointer.
    """

    def __init__(
        self, store: "ObjectStore", name: str, *, pace: Pace | None = None, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._blobs = Blobs(store)
        self._layout = Layout(name)
        self._pace = pace or Pace()
        self._now = now

    def freeze(self, version: str | None) -> FrozenModel:
        """See the port."""
        return reading.freeze(self._blobs, self._layout, version)

    def fetch(self, model: FrozenModel, path: str, destination: Path, progress: Progress) -> None:
        """See the port. Raises NotFound when the model has no such file."""
        files = {file.path: file for file in model.files}
        if path not in files or path not in model.etags:
            raise NotFound(f"found no file {path} in the model {model.version}; there are: {', '.join(files)}")
        blob = self._layout.file(model.version, path)
        Download(self._blobs, blob, model.etags[path], files[path], self._pace).to(destination, progress)

    def publish(self, folder: Path, manifest: ModelManifest, progress: Progress) -> None:
        """See the port. Raises Rejected when the folder is not what the manifest says.

        A publishing that broke off is resumed by publishing the same files under the same version again.
        """
        upload.publish(self._blobs, self._layout, folder, manifest, progress, self._now)

    def versions(self) -> list[ModelListing]:
        """See the port."""
        return reading.versions(self._blobs, self._layout)

    def check(self) -> list[str]:
        """What keeps the store from being read, in plain words; empty when it can be. Changes nothing."""
        try:
            self._blobs.folders(self._layout.name)
        except Broken as error:
            return [str(error)]
        return []
