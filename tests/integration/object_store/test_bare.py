"""A model that is overwritten in place, against the real stores."""

import json
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import StoreSettings, connect
from nocturne.adapters.object_store.bare import BareModel
from nocturne.adapters.object_store.bare_store import BareModelStore
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.layout import Layout
from nocturne.domain import digest
from nocturne.domain.configuration import Bare
from nocturne.domain.errors import BadBlob, BlobChanged, Broken, Conflict, NotFound
from nocturne.domain.model import FrozenModel, ModelManifest
from nocturne.ports.model_store import BlobDigests
from tests.integration.object_store.models import NAME, ignore
from tests.integration.object_store.moto_server import Moto

BARE = Bare("model.onnx", "labels.txt", {"name": "image", "shape": [1, 28, 28]}, {"name": "probabilities"})
WEIGHTS = os.urandom(300_000)


class Remembered(BlobDigests):
    """In memory; `asked` and `kept` tell what for."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def recall(self, blob: str, pin: str) -> str | None:
        return self.kept.get((blob, pin))

    def remember(self, blob: str, pin: str, sha256: str) -> None:
        self.kept[blob, pin] = sha256


@pytest.fixture
def bare(objects: ObjectStore) -> ObjectStore:
    """A store with a bare model in it."""
    objects.put(f"{NAME}/model.onnx", WEIGHTS)
    objects.put(f"{NAME}/labels.txt", b"zero\none\nzw\xc3\xb6lf\n")
    return objects


def fetched(store: BareModelStore, frozen: FrozenModel, path: str, folder: Path) -> bytes:
    moved: list[int] = []
    store.fetch(frozen, path, folder / path, moved.append)
    content = (folder / path).read_bytes()
    file = next(file for file in frozen.files if file.path == path)
    assert (sum(moved), digest.of_bytes(content)) == (file.size, file.sha256)
    return content


def test_a_bare_model_is_frozen_with_a_manifest_of_its_own(bare: ObjectStore, tmp_path: Path) -> None:
    """Files, digests, a card and a version are worked out from what is there, and every file can be fetched."""
    store = BareModelStore(bare, NAME, BARE)
    frozen = store.freeze(None)
    assert [file.path for file in frozen.files] == ["labels.txt", "model.json", "model.onnx"]
    assert fetched(store, frozen, "model.onnx", tmp_path) == WEIGHTS
    card = json.loads(fetched(store, frozen, "model.json", tmp_path))
    assert card == {
        "schema": 1,
        "name": NAME,
        "model": "model.onnx",
        "input": BARE.input,
        "output": BARE.output,
        "labels": ["zero", "one", "zwölf"],
        "metrics": {},
    }
    youngest = max(bare.head(f"{NAME}/{path}")["last_modified"] for path in ("model.onnx", "labels.txt"))
    assert frozen.version == f"{youngest:%Y%m%d-%H%M}-{digest.short(frozen.digest)[:6]}"
    assert frozen.created_at == youngest.isoformat()
    manifest = store.manifest(frozen.version)
    assert (manifest.digest, manifest.card) == (frozen.digest, card)
    assert [(found.version, found.latest) for found in store.versions()] == [(frozen.version, True)]
    assert store.latest_version() == frozen.version


def test_the_same_bytes_are_the_same_model(bare: ObjectStore) -> None:
    """Uploading the same files again changes their pins and not the digest; other weights change it."""
    store = BareModelStore(bare, NAME, BARE)
    first = store.freeze(None)
    bare.put(f"{NAME}/model.onnx", WEIGHTS)
    assert store.freeze(None).digest == first.digest
    bare.put(f"{NAME}/model.onnx", WEIGHTS[1:])
    assert store.freeze(None).digest != first.digest


def test_a_blob_is_read_once(bare: ObjectStore) -> None:
    """What was read before is known by its pin; only what was overwritten is read again, and a known blob is not."""
    digests = Remembered()
    first = BareModelStore(bare, NAME, BARE, digests).freeze(None)
    assert sorted(blob for blob, _ in digests.kept) == [f"{NAME}/labels.txt", f"{NAME}/model.onnx"]
    believed = "sha256:" + "0" * 64
    for blob, pin in list(digests.kept):
        digests.kept[blob, pin] = believed
    known = {file.path: file.sha256 for file in BareModelStore(bare, NAME, BARE, digests).freeze(None).files}
    assert (known["model.onnx"], known["labels.txt"]) == (believed, believed)
    bare.put(f"{NAME}/model.onnx", WEIGHTS[::-1])
    now = {file.path: file.sha256 for file in BareModelStore(bare, NAME, BARE, digests).freeze(None).files}
    assert (now["model.onnx"], now["labels.txt"]) == (digest.of_bytes(WEIGHTS[::-1]), believed)
    assert first.digest != ""


def test_an_overwritten_blob_is_noticed(bare: ObjectStore, tmp_path: Path) -> None:
    """Where the store keeps no versions, a blob that was overwritten since the freeze is an error that says so."""
    store = BareModelStore(bare, NAME, BARE)
    frozen = store.freeze(None)
    bare.put(f"{NAME}/model.onnx", WEIGHTS[::-1])
    with pytest.raises(BlobChanged, match=r"digits/model\.onnx was overwritten"):
        store.fetch(frozen, "model.onnx", tmp_path / "model.onnx", ignore)


def test_a_kept_version_outlives_being_overwritten(versioned_settings: StoreSettings, tmp_path: Path) -> None:
    """Where the store keeps versions, the frozen one is fetched even after it was overwritten."""
    objects = connect(versioned_settings)
    objects.put(f"{NAME}/model.onnx", WEIGHTS)
    objects.put(f"{NAME}/labels.txt", b"zero\none")
    digests = Remembered()
    store = BareModelStore(objects, NAME, BARE, digests)
    frozen = store.freeze(None)
    assert set(frozen.versions) == {"model.onnx", "labels.txt"}
    assert {pin for _, pin in digests.kept} == set(frozen.versions.values())
    objects.put(f"{NAME}/model.onnx", WEIGHTS[::-1])
    assert fetched(store, frozen, "model.onnx", tmp_path) == WEIGHTS
    assert store.freeze(None).digest != frozen.digest


class OverwrittenMeanwhile(Blobs):
    """The real store, in which somebody overwrites a blob while the model is being read."""

    def __init__(self, objects: ObjectStore, path: str) -> None:
        super().__init__(objects)
        self._objects, self._path = objects, path

    def read_range(self, path: str, e_tag: str, start: int, end: int, version: str = "") -> Iterator[bytes]:
        pieces = super().read_range(path, e_tag, start, end, version)
        yield next(pieces)
        if path.endswith("model.onnx"):
            self._objects.put(self._path, os.urandom(300_000))
        yield from pieces


@pytest.mark.parametrize("path", ["model.onnx", "labels.txt"])
def test_a_model_overwritten_while_it_is_read_is_never_frozen(bare: ObjectStore, path: str) -> None:
    """Whichever of the blobs is overwritten in the middle, there is an error and nothing is remembered."""
    digests = Remembered()
    model = BareModel(OverwrittenMeanwhile(bare, f"{NAME}/{path}"), Layout(NAME), BARE, digests)
    with pytest.raises(BlobChanged, match="was overwritten or deleted"):
        model.freeze()
    assert digests.kept == {}


def test_a_large_blob_is_hashed_in_little_memory(objects: ObjectStore) -> None:
    """A model of 64 MiB takes a few MiB of memory."""
    objects.put(f"{NAME}/model.onnx", bytes(64 * 1024 * 1024))
    objects.put(f"{NAME}/labels.txt", b"zero")
    tracemalloc.start()
    try:
        BareModelStore(objects, NAME, BARE).freeze(None)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_card_in_the_folder_wins(bare: ObjectStore) -> None:
    """A model.json that somebody uploaded is the card, with its metrics; none is made then."""
    bare.put(f"{NAME}/model.json", json.dumps({"schema": 1, "labels": ["a"], "metrics": {"accuracy": 0.5}}).encode())
    frozen = BareModelStore(bare, NAME, BARE).freeze(None)
    assert (frozen.derived, frozen.metrics) == ({}, {"accuracy": 0.5})
    assert "model.json" in frozen.etags


def test_a_signature_is_no_file_of_the_model(bare: ObjectStore) -> None:
    """A model.sig beside the files is the model's signature; folders below hold nothing of it."""
    bare.put(f"{NAME}/model.sig", b"signed by ada")
    bare.put(f"{NAME}/archive/model.onnx", b"old")
    frozen = BareModelStore(bare, NAME, BARE).freeze(None)
    assert frozen.signature == "signed by ada"
    assert [file.path for file in frozen.files] == ["labels.txt", "model.json", "model.onnx"]


def test_a_mark_of_a_folder_is_no_file_of_the_model(moto: Moto, s3_settings: StoreSettings) -> None:
    """The empty blobs with a slash at their end, which S3's console makes for folders, are in nobody's way."""
    for path, content in (("model.onnx", WEIGHTS), ("labels.txt", b"a\nb"), ("", b""), ("archive/", b"")):
        moto.client("s3").put_object(Bucket=s3_settings.bucket, Key=f"{NAME}/{path}", Body=content)
    frozen = BareModelStore(connect(s3_settings), NAME, BARE).freeze(None)
    assert [file.path for file in frozen.files] == ["labels.txt", "model.json", "model.onnx"]


def test_a_derived_file_that_cannot_be_written_is_broken(bare: ObjectStore, tmp_path: Path) -> None:
    """A disk that refuses a file which no blob holds is told as any other."""
    store = BareModelStore(bare, NAME, BARE)
    (tmp_path / "disk").write_text("no folder")
    with pytest.raises(Broken, match=r"writing .*/disk/model\.json failed"):
        store.fetch(store.freeze(None), "model.json", tmp_path / "disk" / "model.json", ignore)


@pytest.mark.parametrize(
    ("path", "content"), [("model.json", b"{"), ("model.json", b"[]"), ("labels.txt", b""), ("labels.txt", b"a\n\nb")]
)
def test_what_cannot_be_read_is_rejected(bare: ObjectStore, path: str, content: bytes) -> None:
    """A card that is no object, and labels that are empty, are rejected by the blob's name, blaming what is there now alone."""
    bare.put(f"{NAME}/{path}", content)
    with pytest.raises(BadBlob, match=f"{NAME}/{path}") as raised:
        BareModelStore(bare, NAME, BARE).freeze(None)
    assert raised.value.culprits[0].startswith(f"{NAME}/20")


@pytest.mark.parametrize("content", [b"a\na", b"\xff\xfe"])
def test_labels_that_are_none_are_rejected(bare: ObjectStore, content: bytes) -> None:
    """The same label twice, and bytes that are no text, are no labels."""
    bare.put(f"{NAME}/labels.txt", content)
    with pytest.raises(BadBlob, match=rf"{NAME}/labels\.txt"):
        BareModelStore(bare, NAME, BARE).freeze(None)


def test_what_is_missing_is_named(objects: ObjectStore) -> None:
    """An empty folder, and one without labels, say which blobs are expected and which are there; versions are recognised."""
    store = BareModelStore(objects, NAME, BARE)
    with pytest.raises(NotFound, match=r"found no digits/model\.onnx, digits/labels\.txt; there are: none"):
        store.freeze(None)
    assert (store.versions(), store.check()) == ([], [])
    objects.put(f"{NAME}/model.onnx", WEIGHTS)
    with pytest.raises(NotFound, match=r"found no digits/labels\.txt; there are: model\.onnx"):
        store.freeze(None)
    objects.put(f"{NAME}/latest", b"v1")
    with pytest.raises(NotFound) as raised:
        store.freeze(None)
    assert "published versions" in raised.value.advice


def test_nothing_can_be_published_into_it(bare: ObjectStore, tmp_path: Path) -> None:
    """Publishing, pointing and other versions are refused with the layout's name, and nothing changes."""
    store = BareModelStore(bare, NAME, BARE)
    before = store.freeze(None)
    with pytest.raises(Conflict, match='the layout "bare"'):
        store.publish(tmp_path, ModelManifest(NAME, "v1", "", ()), ignore)
    with pytest.raises(Conflict, match='the layout "bare"'):
        store.point(before.version)
    with pytest.raises(NotFound, match=f"there is: {before.version}"):
        store.freeze("v1")
    assert store.freeze(before.version) == before
    assert store.unfinished(before.digest) is None
