from pathlib import Path

from nocturne.domain import digest
from nocturne.domain.errors import NotFound
from nocturne.ports.image_registry import Appended, AppendRequest, ImageRegistry, LayerFile
from tests.fakes.scripted import Scripted


class FakeImageRegistry(Scripted, ImageRegistry):
    """images: `repository@sha256:...` to labels. tags: `repository:tag` to digest. appended: every append request.

    layers: `repository@sha256:...` to the files of its appended layers, path to content.
    """

    def __init__(self, host: str = "registry.test:5000") -> None:
        super().__init__()
        self.host = host
        self.images: dict[str, dict[str, str]] = {}
        self.layers: dict[str, dict[str, bytes]] = {}
        self.tags: dict[str, str] = {}
        self.appended: list[AppendRequest] = []
        self._blobs: set[str] = set()

    def add(self, reference: str, labels: dict[str, str] | None = None) -> str:
        """Put an image under `repository:tag`; the same tag and labels give the same digest, which is returned."""
        found = digest.of_json([reference, labels or {}])
        self.put(reference, found, labels or {})
        return found

    def put(self, reference: str, image_digest: str, labels: dict[str, str]) -> None:
        """Put an image of a given digest under `repository:tag`."""
        self.images[f"{reference.rpartition(':')[0]}@{image_digest}"] = dict(labels)
        self.tags[reference] = image_digest

    def lose(self, reference: str) -> None:
        """Forget an image (`repository@sha256:...`) and its tags, as a registry that was cleaned up."""
        del self.images[reference]
        repository, _, gone = reference.partition("@")
        kept = {tag: found for tag, found in self.tags.items() if (tag.rpartition(":")[0], found) != (repository, gone)}
        self.tags = kept

    def digest(self, reference: str) -> str | None:
        self._called("digest")
        return self._digest(reference)

    def labels(self, reference: str) -> dict[str, str]:
        self._called("labels")
        return dict(self.images[self._existing(reference)])

    def append(self, request: AppendRequest) -> Appended:
        self._called("append")
        base = self._existing(request.base)
        self.appended.append(request)
        moved, present = self._upload(request.layers)
        identity = [base.rpartition("@")[2], [_blob(layer) for layer in request.layers], dict(request.labels)]
        image = f"{request.repository}@{digest.of_json([*identity, dict(request.annotations), request.created])}"
        self.images[image] = self.images[base] | dict(request.labels)
        self.layers[image] = {file.path: _content(file) for layer in request.layers for file in layer}
        self.tags.update({f"{request.repository}:{tag}": image.rpartition("@")[2] for tag in request.tags})
        return Appended(image, moved, present)

    def full(self, reference: str) -> str:
        return f"{self.host}/{reference}"

    def _upload(self, layers: tuple[tuple[LayerFile, ...], ...]) -> tuple[int, int]:
        moved = present = 0
        for layer in layers:
            size = sum(len(_content(file)) for file in layer)
            if _blob(layer) in self._blobs:
                present += size
            else:
                moved += size
            self._blobs.add(_blob(layer))
        return moved, present

    def _digest(self, reference: str) -> str | None:
        if "@" in reference:
            return reference.partition("@")[2] if reference in self.images else None
        return self.tags.get(reference)

    def _existing(self, reference: str) -> str:
        found = self._digest(reference)
        if found is None:
            raise NotFound(f"the registry has no image {self.full(reference)}")
        return reference if "@" in reference else f"{reference.rpartition(':')[0]}@{found}"


def _content(file: LayerFile) -> bytes:
    return file.source.read_bytes() if isinstance(file.source, Path) else file.source


def _blob(layer: tuple[LayerFile, ...]) -> str:
    return digest.of_json([[file.path, digest.of_bytes(_content(file))] for file in layer])
