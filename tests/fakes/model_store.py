from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nocturne.domain import digest
from nocturne.domain.errors import BlobChanged, Conflict, NotFound, Rejected
from nocturne.domain.model import FrozenModel, ModelFile, ModelManifest
from nocturne.ports.model_store import ModelListing, ModelStore, Progress
from tests.fakes.scripted import Scripted


@dataclass
class _Published:
    manifest: ModelManifest
    blobs: dict[str, bytes]
    etags: dict[str, str]
    signature: str = ""


class FakeModelStore(Scripted, ModelStore):
    """Published versions in memory. latest: what the pointer names. fetched_bytes: what all fetches together moved. open: model
    digest to version, for publishings that broke off.
    """

    def __init__(self, name: str = "digits") -> None:
        super().__init__()
        self.name = name
        self.latest: str | None = None
        self.fetched_bytes = 0
        self.open: dict[str, str] = {}
        self._versions: dict[str, _Published] = {}
        self._writes = 0

    def add(self, version: str, blobs: dict[str, bytes], card: dict[str, Any] | None = None, signature: str = "") -> ModelManifest:
        """Publish without a folder; the pointer moves to it."""
        files = tuple(ModelFile(path, len(content), digest.of_bytes(content)) for path, content in sorted(blobs.items()))
        created_at = f"2026-11-{1 + len(self._versions) % 28:02d}T06:00:00Z"
        manifest = ModelManifest(self.name, version, created_at, files, card or {})
        self._put(manifest, blobs, signature)
        return manifest

    def overwrite(self, version: str, path: str, content: bytes) -> None:
        """Change a blob behind the manifest's back: a model frozen before sees BlobChanged, one frozen later a corrupt file."""
        published = self._versions[version]
        published.blobs[path] = content
        published.etags[path] = self._etag()

    def remove(self, version: str, path: str) -> None:
        """Lose a blob."""
        del self._versions[version].blobs[path]

    def freeze(self, version: str | None) -> FrozenModel:
        self._called("freeze")
        published = self._published(version or self.latest)
        manifest = published.manifest
        for file in manifest.files:
            size = len(published.blobs[file.path]) if file.path in published.blobs else None
            if size != file.size:
                found = "nothing" if size is None else f"{size} bytes"
                raise Rejected(f"{manifest.version}/{file.path}: found {found}, expected {file.size} bytes")
        return FrozenModel(
            manifest.name,
            manifest.version,
            manifest.digest,
            manifest.created_at,
            manifest.files,
            dict(published.etags),
            metrics=manifest.card.get("metrics", {}),
            signature=published.signature,
        )

    def fetch(self, model: FrozenModel, path: str, destination: Path, progress: Progress) -> None:
        self._called("fetch")
        published = self._published(model.version)
        if path not in published.blobs or published.etags[path] != model.etags[path]:
            raise BlobChanged(f"{model.version}/{path} is no longer the blob that was frozen")
        content = published.blobs[path]
        expected = next(file.sha256 for file in model.files if file.path == path)
        if digest.of_bytes(content) != expected:
            raise Rejected(f"{model.version}/{path}: found {digest.of_bytes(content)}, expected {expected}")
        destination.write_bytes(content)
        self.fetched_bytes += len(content)
        progress(len(content))

    def publish(self, folder: Path, manifest: ModelManifest, progress: Progress, signature: str = "") -> None:
        self._called("publish")
        if manifest.version in self._versions:
            raise Conflict(f"{manifest.version} exists already")
        self._put(manifest, {file.path: (folder / file.path).read_bytes() for file in manifest.files}, signature)
        self.open.pop(manifest.digest, None)
        progress(manifest.size)

    def unfinished(self, model_digest: str) -> str | None:
        self._called("unfinished")
        return self.open.get(model_digest)

    def latest_version(self) -> str:
        self._called("latest_version")
        return self._published(self.latest).manifest.version

    def manifest(self, version: str) -> ModelManifest:
        self._called("manifest")
        return self._published(version).manifest

    def point(self, version: str) -> str:
        self._called("point")
        before, self.latest = self.latest, self._published(version).manifest.version
        return before or ""

    def check(self) -> list[str]:
        self._called("check")
        return []

    def versions(self, limit: int | None = None) -> list[ModelListing]:
        self._called("versions")
        newest_first = list(reversed(self._versions.items()))[:limit]
        return [ModelListing(version, version == self.latest, published.manifest) for version, published in newest_first]

    def _put(self, manifest: ModelManifest, blobs: dict[str, bytes], signature: str) -> None:
        etags = {path: self._etag() for path in blobs}
        self._versions[manifest.version] = _Published(manifest, dict(blobs), etags, signature)
        self.latest = manifest.version

    def _published(self, version: str | None) -> _Published:
        if version not in self._versions:
            raise NotFound(f"no model version {version}; there are: {', '.join(self._versions) or 'none'}")
        return self._versions[version]

    def _etag(self) -> str:
        self._writes += 1
        return f'"{self._writes}"'
