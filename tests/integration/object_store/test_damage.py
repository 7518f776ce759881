"""Blobs that are not what their manifest says, or stop being what was frozen."""

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.download import Download, Pace
from nocturne.domain.errors import BadBlob, BlobChanged, Broken, NotFound, Rejected
from nocturne.domain.model import FrozenModel, ModelManifest
from tests.integration.object_store.models import NAME, ignore, manifest_of, tamper, write_model
from tests.integration.object_store.moto_server import Moto

BLOB = f"{NAME}/v1/model.onnx"


@pytest.fixture
def manifest(objects: ObjectStore, tmp_path: Path) -> ModelManifest:
    """The manifest of a published model."""
    folder = write_model(tmp_path / "v1")
    ObjectModelStore(objects, NAME).publish(folder, manifest_of(folder, "v1"), ignore)
    return manifest_of(folder, "v1")


def fetch_fails(objects: ObjectStore, frozen: FrozenModel, folder: Path, error: type[Exception], message: str) -> None:
    """Fetching the model fails so, and leaves nothing behind."""
    folder.mkdir()
    with pytest.raises(error, match=message):
        ObjectModelStore(objects, NAME).fetch(frozen, "model.onnx", folder / "model.onnx", ignore)
    assert list(folder.iterdir()) == []


def test_a_flipped_bit_is_rejected(objects: ObjectStore, manifest: ModelManifest, tmp_path: Path) -> None:
    """A blob of the right size with one wrong bit is rejected, with the digest found and the one expected."""
    tamper(objects, BLOB)
    frozen = ObjectModelStore(objects, NAME).freeze(None)
    expected = next(file.sha256 for file in manifest.files if file.path == "model.onnx")
    fetch_fails(
        objects, frozen, tmp_path / "back", Rejected, f"{BLOB} is corrupt: found sha256:[0-9a-f]{{64}}, expected {expected}"
    )


def test_missing_and_cut_blobs_are_rejected_together(objects: ObjectStore, manifest: ModelManifest) -> None:
    """Freezing names every blob that is missing or of another size in one error that blames the model."""
    objects.put(BLOB, b"cut")
    objects.delete(f"{NAME}/v1/parts/weights.bin")
    with pytest.raises(Rejected) as raised:
        ObjectModelStore(objects, NAME).freeze(None)
    assert "model.onnx: found 3 bytes, expected 300,000" in raised.value.message
    assert "parts/weights.bin: found no such blob, expected 320 bytes" in raised.value.message
    assert raised.value.culprits == (f"{NAME}/v1",)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b", "a//b", "..", "C:\\x", "a\nb"])
def test_a_path_that_leaves_the_folder_is_rejected(objects: ObjectStore, manifest: ModelManifest, path: str) -> None:
    """A manifest that names a file outside of its version's folder is rejected before anything of it is read."""
    hostile = json.loads(manifest.to_json())
    hostile["files"][0]["path"] = path
    del hostile["digest"]
    objects.put(f"{NAME}/v1/manifest.json", json.dumps(hostile).encode())
    with pytest.raises(Rejected, match=r"digits/v1/manifest\.json is not a model manifest: the path .* leaves the model's folder"):
        ObjectModelStore(objects, NAME).freeze("v1")


def test_a_blob_whose_name_no_file_can_have_is_named(moto: Moto, s3_settings: StoreSettings) -> None:
    """A blob that somebody called `..` to leave the folder harms nobody: lists fail, and name it."""
    store = Blobs(connect(s3_settings))
    moto.client("s3").put_object(Bucket=s3_settings.bucket, Key="digits/../other/manifest.json", Body=b"{}")
    with pytest.raises(Broken, match=r"cannot be a file's: 'digits/\.\./other/manifest\.json'") as raised:
        store.below(NAME)
    assert "remove that blob" in raised.value.advice
    with pytest.raises(Broken, match="cannot be a file's"):
        store.folders(NAME)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"schema": 1}', b"[" * 100_000, bytes(65_000_000)],
    ids=["cut", "list", "lacking", "deep", "long"],
)
def test_a_bad_manifest_is_rejected(objects: ObjectStore, manifest: ModelManifest, content: bytes) -> None:
    """A manifest that cannot be read is rejected by its name, and keeps no other version from being listed."""
    objects.put(f"{NAME}/v1/manifest.json", content)
    store = ObjectModelStore(objects, NAME)
    with pytest.raises(Rejected, match=r"digits/v1/manifest\.json"):
        store.freeze(None)
    assert store.versions() == []


@pytest.mark.parametrize("metric", [b"NaN", b"1e999"])
def test_a_metric_that_is_no_number_is_rejected(objects: ObjectStore, manifest: ModelManifest, metric: bytes) -> None:
    """A card with a metric that only Python takes for JSON, as training writes it by default, is rejected by the version's name."""
    text = manifest.to_json().replace(b'"labels": [', b'"metrics": {"f1": ' + metric + b'}, "labels": [')
    objects.put(f"{NAME}/v1/manifest.json", text)
    with pytest.raises(BadBlob, match=r"v1/manifest\.json is not JSON: found") as raised:
        ObjectModelStore(objects, NAME).freeze(None)
    assert raised.value.culprits == ("digits/v1",)


def test_no_long_blob_is_taken_for_a_text(objects: ObjectStore, manifest: ModelManifest) -> None:
    """A pointer that somebody overwrote with a large file is rejected by its size, and can be put right."""
    objects.put(f"{NAME}/latest", bytes(5_000_000))
    store = ObjectModelStore(objects, NAME)
    with pytest.raises(Rejected, match=r"digits/latest has 5,000,000 bytes, expected 4,194,304 at most"):
        store.freeze(None)
    assert store.point("v1") == ""
    assert store.freeze(None).version == "v1"


def test_a_copied_version_is_rejected(objects: ObjectStore, manifest: ModelManifest) -> None:
    """A version's folder that was copied under another name by hand is not a version of that name."""
    objects.copy(f"{NAME}/v1/manifest.json", f"{NAME}/v2/manifest.json")
    with pytest.raises(Rejected, match="is the manifest of digits v1, expected that of digits v2"):
        ObjectModelStore(objects, NAME).freeze("v2")


@pytest.mark.parametrize("content", [b"../../x", b"v 1", b"[]", b'{"version": "../x", "digest": ""}'])
def test_a_bad_pointer_is_rejected(objects: ObjectStore, manifest: ModelManifest, content: bytes) -> None:
    """A pointer that was edited by hand into nonsense is rejected by its name."""
    objects.put(f"{NAME}/latest", content)
    with pytest.raises(Rejected, match="the pointer digits/latest cannot be read"):
        ObjectModelStore(objects, NAME).freeze(None)


def test_a_pointer_to_nothing_lists_what_there_is(objects: ObjectStore, manifest: ModelManifest) -> None:
    """When `latest` names a version that is gone, the error says so and lists the whole ones."""
    objects.put(f"{NAME}/latest", json.dumps({"version": "v0", "digest": manifest.digest, "at": ""}).encode())
    with pytest.raises(NotFound, match=r"'v0' of the model digits \(digits/latest names it\); there are: v1"):
        ObjectModelStore(objects, NAME).freeze(None)


def test_a_manifest_that_is_not_the_pointers_is_rejected(objects: ObjectStore, manifest: ModelManifest) -> None:
    """A version whose manifest was replaced after it was published does not pass for the latest."""
    objects.put(f"{NAME}/latest", json.dumps({"version": "v1", "digest": "sha256:" + "0" * 64, "at": ""}).encode())
    with pytest.raises(Rejected, match="says v1 has digest sha256:0000"):
        ObjectModelStore(objects, NAME).freeze(None)


def test_a_blob_overwritten_after_the_freeze_is_noticed(objects: ObjectStore, manifest: ModelManifest, tmp_path: Path) -> None:
    """A blob that was overwritten between freeze and fetch, even by the same bytes, is not the one that was frozen."""
    frozen = ObjectModelStore(objects, NAME).freeze(None)
    objects.put(BLOB, objects.get(BLOB).bytes().to_bytes())
    fetch_fails(objects, frozen, tmp_path / "back", BlobChanged, f"{BLOB} was overwritten or deleted since this run began")


def test_a_blob_deleted_after_the_freeze_is_noticed(objects: ObjectStore, manifest: ModelManifest, tmp_path: Path) -> None:
    """A blob that was deleted between freeze and fetch is a changed blob, too."""
    frozen = ObjectModelStore(objects, NAME).freeze(None)
    objects.delete(BLOB)
    fetch_fails(objects, frozen, tmp_path / "back", BlobChanged, "was overwritten or deleted")


class OverwrittenMeanwhile(Blobs):
    """The real store, in which somebody overwrites the model just before a download's `at`th range is read."""

    def __init__(self, objects: ObjectStore, at: int) -> None:
        super().__init__(objects)
        self._objects, self._at, self._ranges = objects, at, itertools.count(1)

    def read_range(self, path: str, e_tag: str, start: int, end: int, version: str = "") -> Iterator[bytes]:
        if next(self._ranges) == self._at:
            self._objects.put(path, os.urandom(1024 * 1024) * 64)
        return super().read_range(path, e_tag, start, end, version)


@pytest.mark.parametrize("at", [2, 30, 64])
def test_a_blob_overwritten_in_mid_download_is_never_mixed(objects: ObjectStore, tmp_path: Path, at: int) -> None:
    """A blob of 64 MiB overwritten by another of that size while its ranges come in gives an error and no file."""
    store, folder, back = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1", size=64 * 1024 * 1024), tmp_path / "back"
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    frozen = store.freeze(None)
    file = next(file for file in frozen.files if file.path == "model.onnx")
    pace = Pace(range_bytes=1024 * 1024, at_once=2)
    with pytest.raises(BlobChanged):
        Download(OverwrittenMeanwhile(objects, at), BLOB, frozen.etags["model.onnx"], file, pace).to(back / "model.onnx", ignore)
    assert list(back.iterdir()) == []


def test_an_interrupted_fetch_leaves_nothing(objects: ObjectStore, manifest: ModelManifest, tmp_path: Path) -> None:
    """A fetch that is interrupted leaves no file, not even a temporary one."""
    store = ObjectModelStore(objects, NAME)

    def interrupt(moved: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "back").mkdir()
    with pytest.raises(KeyboardInterrupt):
        store.fetch(store.freeze(None), "model.onnx", tmp_path / "back" / "model.onnx", interrupt)
    assert list((tmp_path / "back").iterdir()) == []
