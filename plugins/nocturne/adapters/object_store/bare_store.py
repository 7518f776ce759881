"""A bare model behind the port of a model store: there is one version, and nothing can be published."""

from pathlib import Path
from typing import TYPE_CHECKING

from nocturne.adapters.object_store import reading
from nocturne.adapters.object_store.bare import BareModel, NothingRemembered, write_derived
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.download import Pace, fetch
from nocturne.adapters.object_store.layout import Layout
from nocturne.domain.configuration import Bare
from nocturne.domain.errors import Conflict, NotFound
from nocturne.domain.model import FrozenModel, ModelManifest
from nocturne.ports.model_store import BlobDigests, ModelListing, ModelStore, Progress

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class BareModelStore(ModelStore):
    """The files that are overwritten in place in one folder of a store.

    store: from `connect`. name: the folder. digests: what is in blobs that were read before.
    """

    def __init__(
        self, store: "ObjectStore", name: str, bare: Bare, digests: BlobDigests | None = None, *, pace: Pace | None = None
    ) -> None:
        self._blobs = Blobs(store)
        self._layout = Layout(name)
        self._model = BareModel(self._blobs, self._layout, bare, digests or NothingRemembered())
        self._pace = pace

    def freeze(self, version: str | None) -> FrozenModel:
        """See the port. Raises BlobChanged when somebody overwrites a blob at this moment."""
        return self._now(version)[1]

    def fetch(self, model: FrozenModel, path: str, destination: Path, progress: Progress) -> None:
        """See the port. Raises NotFound when the model has no such file."""
        if path in model.derived:
            progress(write_derived(model, path, destination))
        else:
            fetch(self._blobs, self._model.path(path), model, path, destination, progress, self._pace)

    def publish(self, folder: Path, manifest: ModelManifest, progress: Progress, signature: str = "") -> None:
        """Raises Conflict."""
        raise self._read_only()

    def unfinished(self, model_digest: str) -> str | None:
        """None: nothing is ever being published."""
        return None

    def latest_version(self) -> str:
        """See the port. Raises BlobChanged when somebody overwrites a blob at this moment."""
        return self._now(None)[0].version

    def manifest(self, version: str) -> ModelManifest:
        """See the port."""
        return self._now(version)[0]

    def point(self, version: str) -> str:
        """Raises Conflict."""
        raise self._read_only()

    def check(self) -> list[str]:
        """See the port."""
        return reading.faults_of_reading(self._blobs, self._layout)

    def versions(self, limit: int | None = None) -> list[ModelListing]:
        """The one version that is there now; none where the model's folder is empty."""
        if limit == 0 or not self._blobs.below(self._layout.name):
            return []
        manifest = self._now(None)[0]
        return [ModelListing(manifest.version, True, manifest)]

    def _now(self, version: str | None) -> tuple[ModelManifest, FrozenModel]:
        manifest, frozen = self._model.freeze()
        if version not in (None, manifest.version):
            raise NotFound(
                f"found no version {version!r} of the model {self._layout.name}, which is overwritten in place;"
                f" there is: {manifest.version}",
                advice="an older one that was released can be rolled back to: nocturne rollback",
            )
        return manifest, frozen

    def _read_only(self) -> Conflict:
        return Conflict(
            f'the model {self._layout.name} has the layout "bare": its files are overwritten in place, and it has no versions',
            advice=f"overwrite the blobs below {self._layout.name}/, or change model.layout in release.toml",
        )
