"""A model that is overwritten in place: no versions, no manifest, only the files that are there now, pinned as they are.

<name>/<path>    all blobs directly in the model's folder are its files; blobs in folders below are none of them

What a manifest would say is worked out: each file's digest by reading it once, the card from the configuration and the label file.
The layout cannot know whether somebody is in the middle of overwriting two files one after the other.
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from nocturne.adapters.object_store.blobs import Blob, Blobs
from nocturne.adapters.object_store.download import whole_or_nothing, write_at
from nocturne.adapters.object_store.layout import LATEST, Layout
from nocturne.adapters.object_store.manifests import decoded, parse_card, read_signature
from nocturne.adapters.object_store.reading import frozen_model, stat_all
from nocturne.domain import digest
from nocturne.domain.configuration import Bare
from nocturne.domain.errors import BadBlob, BlobChanged, NotFound
from nocturne.domain.model import (
    CARD,
    MANIFEST,
    MAX_CARD_BYTES,
    SIGNATURE,
    FrozenModel,
    ModelFile,
    ModelManifest,
    safe_path,
    version_name,
)
from nocturne.ports.model_store import BlobDigests

_AT_ONCE = 4


class NothingRemembered(BlobDigests):
    """For whoever has no memory: every blob is read each time."""

    def recall(self, blob: str, pin: str) -> str | None:
        """See the port."""
        return None

    def remember(self, blob: str, pin: str, sha256: str) -> None:
        """See the port."""


class BareModel:
    """The model in one folder, as it is now."""

    def __init__(self, blobs: Blobs, layout: Layout, bare: Bare, digests: BlobDigests) -> None:
        self._blobs, self._layout, self._bare, self._digests = blobs, layout, bare, digests

    def path(self, path: str) -> str:
        """The blob of a file."""
        return f"{self._layout.name}/{path}"

    def freeze(self) -> tuple[ModelManifest, FrozenModel]:
        """What would be in the manifest, and the blobs pinned.

        Raises NotFound where the model's or the label file is missing, BadBlob for a label file or card that cannot be read, and
        BlobChanged when a blob was overwritten while it was read.
        """
        there = self._files()
        digests = self._digests_of(there)
        youngest = max(blob.modified_at for blob in there.values())
        files = [ModelFile(path, blob.size, digests[path]) for path, blob in there.items()]
        card, derived = self._card(there, digests, youngest)
        files += [ModelFile(path, len(text.encode()), digest.of_bytes(text.encode())) for path, text in derived.items()]
        draft = ModelManifest(self._layout.name, "", youngest.isoformat(), tuple(sorted(files, key=lambda file: file.path)), card)
        manifest = ModelManifest(draft.name, version_name(youngest, draft.digest), draft.created_at, draft.files, card)
        signature = read_signature(self._blobs, self.path(SIGNATURE), (f"{manifest.name}/{manifest.version}",))
        return manifest, frozen_model(manifest, there, signature, derived)

    def _files(self) -> dict[str, Blob]:
        listed = {path.removeprefix(f"{self._layout.name}/"): blob for path, blob in self._blobs.below(self._layout.name)}
        names = sorted(path for path in listed if "/" not in path and path not in (SIGNATURE, MANIFEST) and safe_path(path))
        # A list tells nothing of the versions that a store keeps.
        found = dict(zip(names, stat_all(self._blobs, [self.path(name) for name in names]), strict=True))
        # S3's console marks a folder by an empty blob whose name ends with a slash, which a list does not show.
        gone = [name for name, blob in found.items() if blob is None and listed[name].size]
        if gone:
            raise self._changed(gone)
        there = {name: blob for name, blob in found.items() if blob}
        missing = [path for path in (self._bare.model, self._bare.labels) if path not in there]
        if missing:
            raise self._incomplete(missing, list(there))
        return there

    def _incomplete(self, missing: list[str], names: list[str]) -> NotFound:
        advice = "put the files there, or correct [model.bare] in release.toml"
        if LATEST in names:
            advice = 'these are published versions: leave out layout = "bare" in release.toml'
        wanted, there = ", ".join(map(self.path, missing)), ", ".join(names[:10]) or "none"
        return NotFound(f"the bare model {self._layout.name} is not whole: found no {wanted}; there are: {there}", advice=advice)

    def _digests_of(self, there: dict[str, Blob]) -> dict[str, str]:
        known = {path: self._digests.recall(self.path(path), _pin(blob)) for path, blob in there.items()}
        unread = [path for path, sha256 in known.items() if sha256 is None]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="digest") as pool:
            read = dict(zip(unread, pool.map(lambda path: self._sha256(path, there[path]), unread), strict=True))
        if unread:
            now = dict(zip(there, stat_all(self._blobs, map(self.path, there)), strict=True))
            if changed := [
                path for path, blob in there.items() if (now_there := now[path]) is None or now_there.e_tag != blob.e_tag
            ]:
                raise self._changed(changed)
        for path, sha256 in read.items():
            self._digests.remember(self.path(path), _pin(there[path]), sha256)
        return {path: sha256 or read[path] for path, sha256 in known.items()}

    def _sha256(self, path: str, blob: Blob) -> str:
        sha256 = hashlib.sha256()
        for piece in self._blobs.read_range(self.path(path), blob.e_tag, 0, blob.size, version=blob.version):
            sha256.update(piece)
        return f"sha256:{sha256.hexdigest()}"

    def _changed(self, paths: list[str]) -> BlobChanged:
        names = ", ".join(map(self.path, paths))
        return BlobChanged(
            f"{names} was overwritten or deleted while the model was being frozen",
            advice="start a new run once nobody uploads; publishing versions keeps readers and publishers apart",
        )

    def _card(
        self, there: dict[str, Blob], digests: dict[str, str], youngest: datetime
    ) -> tuple[dict[str, object], dict[str, str]]:
        """The card, and the files that no blob holds."""
        if CARD in there:
            to_blame = (f"{self._layout.name}/{version_name(youngest, digests[CARD])}",)
            return parse_card(self._small(CARD, there[CARD], to_blame), self.path(CARD), to_blame), {}
        labels = self._bare.labels
        to_blame = (f"{self._layout.name}/{version_name(youngest, digests[labels])}",)
        text = decoded(self._small(labels, there[labels], to_blame), self.path(labels), to_blame)
        card = {
            "schema": 1,
            "name": self._layout.name,
            "model": self._bare.model,
            "input": self._bare.input,
            "output": self._bare.output,
            "labels": self._labels(text, to_blame),
            "metrics": {},
        }
        return card, {CARD: json.dumps(card, indent=2, ensure_ascii=False) + "\n"}

    def _small(self, path: str, blob: Blob, to_blame: tuple[str, ...]) -> bytes:
        if blob.size > MAX_CARD_BYTES:
            fault = f"{self.path(path)} has {blob.size:,} bytes, expected {MAX_CARD_BYTES:,} at most"
            raise BadBlob(fault, advice="look at what was uploaded", culprits=to_blame)
        return b"".join(self._blobs.read_range(self.path(path), blob.e_tag, 0, blob.size, version=blob.version))

    def _labels(self, text: str, to_blame: tuple[str, ...]) -> list[str]:
        labels = text.rstrip().splitlines()
        if labels and all(label.strip() for label in labels) and len(set(labels)) == len(labels):
            return labels
        raise BadBlob(
            f"{self.path(self._bare.labels)}: found {len(labels)} lines, {len(set(labels))} of them different,"
            f" {sum(not label.strip() for label in labels)} empty; expected one label a line",
            advice="upload the label file again",
            culprits=to_blame,
        )


def write_derived(model: FrozenModel, path: str, destination: Path) -> int:
    """Write a file that no blob holds; the number of its bytes. Raises Broken."""
    content = model.derived[path].encode()
    with whole_or_nothing(destination) as descriptor:
        write_at(descriptor, content, 0)
    return len(content)


def _pin(blob: Blob) -> str:
    return blob.version or blob.e_tag
