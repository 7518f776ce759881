"""A store that other tools fill, on the client's own store in memory."""

import pytest
from obstore.store import MemoryStore

from nocturne.adapters.object_store import ObjectModelStore
from nocturne.adapters.object_store.blobs import Blob, Blobs
from nocturne.adapters.object_store.latest import LatestRule
from nocturne.domain.configuration import Latest
from nocturne.domain.errors import Conflict
from nocturne.domain.model import ModelFile, ModelManifest

TIMES = "digits/_times"
FILE = ModelFile("model.onnx", 4, "sha256:" + "0" * 64)


class Counted(Blobs):
    """Counts the lists that go through every blob."""

    lists = 0

    def below(self, path: str) -> list[tuple[str, Blob]]:
        self.lists += 1
        return super().below(path)


def upload(objects: MemoryStore, *numbers: int) -> None:
    """As the recipes of docs/models.md do."""
    for number in numbers:
        manifest = ModelManifest("digits", f"1.0.{number}", "2026-11-22T02:00:00+00:00", (FILE,), {})
        objects.put(f"digits/{manifest.version}/model.onnx", b"onnx")
        objects.put(f"digits/{manifest.version}/manifest.json", manifest.to_json())
        objects.put("digits/latest", manifest.version.encode())


def lists_of_all_blobs(objects: MemoryStore) -> int:
    """How many of them a list of the newest three takes."""
    store = ObjectModelStore(objects, "digits")
    store._blobs = counted = Counted(objects)
    assert len(store.versions(3)) == 3
    return counted.lists


@pytest.fixture
def objects() -> MemoryStore:
    """With 250 versions."""
    objects = MemoryStore()
    upload(objects, *range(250))
    return objects


@pytest.mark.parametrize("kind", [Latest.POINTER, Latest.NEWEST, Latest.HIGHEST])
def test_reading_writes_nothing(objects: MemoryStore, kind: Latest) -> None:
    """Lists, freezing and looks by every rule leave the store as it was: who reads may lack the right to write."""
    before = [blob for chunk in objects.list() for blob in chunk]
    store = ObjectModelStore(objects, "digits", LatestRule(kind))
    store.versions()
    store.manifest(store.latest_version())
    store.freeze(None)
    store.check()
    assert [blob for chunk in objects.list() for blob in chunk] == before


@pytest.mark.parametrize("version", ["1.0.0", "1.0.249"], ids=["an older one", "the latest already"])
def test_making_a_version_the_latest_makes_lists_fast(objects: MemoryStore, version: str) -> None:
    """After `nocturne models latest` no list goes through every blob, until other tools have uploaded more than 200 versions."""
    assert lists_of_all_blobs(objects) == 1
    ObjectModelStore(objects, "digits").point(version)
    assert lists_of_all_blobs(objects) == 0
    upload(objects, *range(250, 450))
    assert lists_of_all_blobs(objects) == 0
    upload(objects, 450)
    assert lists_of_all_blobs(objects) == 1
    ObjectModelStore(objects, "digits").point("1.0.450")
    assert lists_of_all_blobs(objects) == 0


@pytest.mark.parametrize("kind", [Latest.NEWEST, Latest.HIGHEST, Latest.PINNED])
def test_by_every_rule_the_latest_may_be_asked_for(objects: MemoryStore, kind: Latest) -> None:
    """Where the pointer decides nothing, the version that is the latest anyway may be named, and that makes lists fast as well."""
    store = ObjectModelStore(objects, "digits", LatestRule(kind, "1.0.249"))
    pointer = objects.head("digits/latest")
    with pytest.raises(Conflict):
        store.point("1.0.0")
    assert lists_of_all_blobs(objects) == 1
    assert store.latest_version() == "1.0.249"
    assert store.point("1.0.249") == "1.0.249"
    assert lists_of_all_blobs(objects) == 0
    assert objects.head("digits/latest") == pointer
