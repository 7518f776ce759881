"""Publishing, freezing and fetching, against the real Azurite and a folder."""

import json
import os
from pathlib import Path

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import ObjectModelStore
from nocturne.adapters.object_store.download import Pace
from nocturne.domain.errors import Conflict, NotFound, Rejected
from nocturne.domain.model import ModelFile, ModelManifest
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model


def test_what_was_published_is_what_is_fetched(objects: ObjectStore, tmp_path: Path) -> None:
    """A published version is frozen as the latest, and each of its files comes back byte for byte."""
    store = ObjectModelStore(objects, NAME, pace=Pace(range_bytes=64_000, at_once=3))
    folder, uploaded, fetched = write_model(tmp_path / "v1"), [], []
    store.publish(folder, manifest_of(folder, "v1"), uploaded.append)
    frozen = store.freeze(None)
    for file in frozen.files:
        store.fetch(frozen, file.path, tmp_path / "back" / file.path, fetched.append)
        assert (tmp_path / "back" / file.path).read_bytes() == (folder / file.path).read_bytes()
    assert (frozen.version, frozen.digest) == ("v1", manifest_of(folder, "v1").digest)
    assert sum(uploaded) == sum(fetched) == frozen.size
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == ["model.json", "model.onnx", "parts"]


def test_latest_follows_and_old_versions_stay(objects: ObjectStore, tmp_path: Path) -> None:
    """`latest` is the version published last, and every older one can still be frozen by its name."""
    store = ObjectModelStore(objects, NAME)
    for version, day in (("v1", 20), ("v2", 21), ("v3", 22)):
        folder = write_model(tmp_path / version)
        store.publish(folder, manifest_of(folder, version, f"2026-11-{day}T02:00:00+00:00"), ignore)
    assert [(listing.version, listing.latest) for listing in store.versions()] == [("v3", True), ("v2", False), ("v1", False)]
    assert store.freeze(None).version == "v3"
    assert store.freeze("v1").digest == manifest_of(tmp_path / "v1", "v1").digest


def test_a_published_version_cannot_be_published_again(objects: ObjectStore, tmp_path: Path) -> None:
    """Publishing a version a second time is a conflict, and the first one stays as it was, ETags and all."""
    store = ObjectModelStore(objects, NAME)
    first, second = write_model(tmp_path / "first"), write_model(tmp_path / "second")
    store.publish(first, manifest_of(first, "v1"), ignore)
    before = store.freeze("v1")
    with pytest.raises(Conflict, match="v1 of digits exists already"):
        store.publish(second, manifest_of(second, "v1"), ignore)
    assert store.freeze("v1") == before


def test_a_publishing_that_broke_off_is_resumed(objects: ObjectStore, tmp_path: Path) -> None:
    """Half a version is invisible; the same files finish it, other files cannot take its name."""
    store = ObjectModelStore(objects, NAME)
    folder, other = write_model(tmp_path / "v1"), write_model(tmp_path / "other")

    def killed(moved: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.publish(folder, manifest_of(folder, "v1"), killed)
    assert store.versions() == []
    with pytest.raises(Conflict, match="with other files"):
        store.publish(other, manifest_of(other, "v1"), ignore)
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    assert store.freeze(None).digest == manifest_of(folder, "v1").digest


def test_a_file_that_changes_while_it_is_uploaded_is_refused(objects: ObjectStore, tmp_path: Path) -> None:
    """A file whose bytes are no longer those of the manifest never becomes a blob."""
    store, folder = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1")
    manifest = manifest_of(folder, "v1")
    (folder / "model.onnx").write_bytes(os.urandom(300_000))
    with pytest.raises(Rejected, match=r"model\.onnx changed while it was being published"):
        store.publish(folder, manifest, ignore)
    assert f"{NAME}/v1/model.onnx" not in [blob["path"] for blob in objects.list(f"{NAME}/v1").collect()]


def test_an_empty_store_says_how_to_begin(objects: ObjectStore) -> None:
    """A store in which nothing was published says so, with the command that does it."""
    store = ObjectModelStore(objects, NAME)
    with pytest.raises(NotFound, match="no model digits was ever published") as raised:
        store.freeze(None)
    assert "nocturne models publish DIR" in raised.value.advice
    assert (store.versions(), store.check()) == ([], [])


@pytest.mark.parametrize("version", ["v9", "latest", "../v1", ""])
def test_an_unknown_version_names_those_there_are(objects: ObjectStore, tmp_path: Path, version: str) -> None:
    """Asking for a version that does not exist, however it is called, lists the whole ones."""
    store, folder = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1")
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    with pytest.raises(NotFound, match="there are: v1"):
        store.freeze(version)


def test_a_file_without_bytes_can_be_fetched(objects: ObjectStore, tmp_path: Path) -> None:
    """An empty file is fetched as an empty file."""
    store, folder = ObjectModelStore(objects, NAME), tmp_path / "v1"
    folder.mkdir()
    (folder / "empty").touch()
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    store.fetch(store.freeze(None), "empty", tmp_path / "back", ignore)
    assert (tmp_path / "back").read_bytes() == b""


def test_names_with_every_printable_character_survive(objects: ObjectStore, tmp_path: Path) -> None:
    """A file's name may hold spaces, percent signs, brackets and letters of any language."""
    store, folder = ObjectModelStore(objects, NAME), tmp_path / "v1"
    names = ["a b", "a%20b", "a#b?c&d=e+f", "x*y[z]{}^~`|<>.onnx", "ü.onnx", "日本", "parts/..x"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    frozen = store.freeze(None)
    for name in names:
        store.fetch(frozen, name, tmp_path / "back" / name, ignore)
        assert (tmp_path / "back" / name).read_text() == name


def test_a_manifest_that_does_not_fit_its_folder_is_refused_at_once(objects: ObjectStore, tmp_path: Path) -> None:
    """Every fault of what is to be published is in one error, and nothing is uploaded."""
    folder = write_model(tmp_path / "v1")
    files = (*manifest_of(folder, "v1").files, ModelFile("gone.bin", 1, "sha256:" + "0" * 64), ModelFile("manifest.json", 1, ""))
    with pytest.raises(Rejected) as raised:
        ObjectModelStore(objects, NAME).publish(folder, ModelManifest("faces", "latest", "", files), ignore)
    for fault in ("'faces', this store holds 'digits'", "'latest' cannot name", "gone.bin: found no such file", "manifest.json"):
        assert fault in raised.value.message
    assert objects.list(NAME).collect() == []


def test_the_pointer_tells_version_digest_and_time(objects: ObjectStore, tmp_path: Path) -> None:
    """The pointer is JSON that other programs can read."""
    store, folder = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1")
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    pointer = json.loads(objects.get(f"{NAME}/latest").bytes().to_bytes())
    assert pointer["version"] == "v1"
    assert pointer["digest"] == manifest_of(folder, "v1").digest
    assert pointer["at"].startswith("20")
