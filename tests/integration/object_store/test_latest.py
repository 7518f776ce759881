"""Which version is the latest, by each of the rules."""

import json
import os
from pathlib import Path

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import ObjectModelStore
from nocturne.adapters.object_store.latest import LatestRule
from nocturne.domain.configuration import Latest
from nocturne.domain.errors import BadBlob, Conflict, NotFound
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model


def add(objects: ObjectStore, folder: Path, *versions: str, created_at: str = "2026-11-22T02:00:00+00:00") -> None:
    """Publish versions, one after the other."""
    store = ObjectModelStore(objects, NAME)
    for version in versions:
        model = write_model(folder / version, size=100)
        store.publish(model, manifest_of(model, version, created_at), ignore)


def older(objects: ObjectStore, folder: Path, *versions: str) -> None:
    """Wait until the store's clock, which may only have whole seconds, shows another time than the versions' before these."""
    stamp = objects.head(f"{NAME}/latest")["last_modified"]
    while True:
        objects.put("clock", b"")
        if objects.head("clock")["last_modified"] > stamp:
            break
    add(objects, folder, *versions, created_at="2020-01-01T00:00:00+00:00")


def latest(objects: ObjectStore, kind: Latest, pinned: str = "") -> str:
    return ObjectModelStore(objects, NAME, LatestRule(kind, pinned)).freeze(None).version


def test_the_newest_is_so_by_the_stores_clock(objects: ObjectStore, tmp_path: Path) -> None:
    """A publisher whose clock is six years slow published the newest version nevertheless, wherever the pointer is."""
    add(objects, tmp_path, "z-first")
    older(objects, tmp_path, "a-second")
    ObjectModelStore(objects, NAME).point("z-first")
    assert latest(objects, Latest.NEWEST) == "a-second"
    assert latest(objects, Latest.POINTER) == "z-first"
    listed = ObjectModelStore(objects, NAME, LatestRule(Latest.NEWEST)).versions()
    assert [(found.version, found.latest) for found in listed] == [("a-second", True), ("z-first", False)]


def test_the_highest_is_so_by_semantic_versioning(objects: ObjectStore, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """1.10.0 comes after 1.9.0 and its own pre-release; what is no version is left out, and said once."""
    add(objects, tmp_path, "1.10.0", "1.10.0-rc.1", "1.9.0", "9", "nightly")
    caplog.set_level("INFO")
    assert latest(objects, Latest.HIGHEST) == "1.10.0"
    assert caplog.text.count("left out, because their names are no semantic versions: 9, nightly") == 1


def test_half_a_version_is_not_the_highest(objects: ObjectStore, tmp_path: Path) -> None:
    """A higher version without a manifest is not published yet."""
    add(objects, tmp_path, "1.0.0")
    objects.put(f"{NAME}/2.0.0/model.onnx", b"half")
    assert latest(objects, Latest.HIGHEST) == "1.0.0"


@pytest.mark.parametrize("kind", [Latest.POINTER, Latest.NEWEST, Latest.HIGHEST])
def test_a_damaged_latest_is_no_reason_to_take_another(objects: ObjectStore, tmp_path: Path, kind: Latest) -> None:
    """When the latest by a rule is damaged, that is an error, and not a reason to release an older one; it is still the latest."""
    add(objects, tmp_path, "1.0.0", "1.1.0")
    objects.put(f"{NAME}/1.1.0/model.onnx", b"cut")
    with pytest.raises(BadBlob, match=r"digits 1\.1\.0 is not what its manifest says"):
        latest(objects, kind)
    assert ObjectModelStore(objects, NAME, LatestRule(kind)).latest_version() == "1.1.0"


def test_without_a_semantic_version_there_is_no_highest(objects: ObjectStore, tmp_path: Path) -> None:
    """When no name is a version, the error says what one looks like and what there is."""
    add(objects, tmp_path, "monday")
    with pytest.raises(NotFound, match=r"a semantic version such as 1\.4\.0; there are: monday"):
        latest(objects, Latest.HIGHEST)


@pytest.mark.parametrize("kind", [Latest.NEWEST, Latest.HIGHEST, Latest.POINTER])
def test_nothing_published_is_told_alike(objects: ObjectStore, kind: Latest) -> None:
    """By every rule, an empty store says how to begin."""
    with pytest.raises(NotFound, match="no model digits was ever published"):
        latest(objects, kind)
    with pytest.raises(NotFound, match="no model digits was ever published"):
        ObjectModelStore(objects, NAME, LatestRule(kind)).latest_version()


def test_a_pinned_version_is_always_the_same(objects: ObjectStore, tmp_path: Path) -> None:
    """A pinned version is the latest whatever is published; a pin on nothing says where it stands."""
    add(objects, tmp_path, "v1", "v2")
    assert latest(objects, Latest.PINNED, "v1") == "v1"
    with pytest.raises(NotFound, match=r"'v9' of the model digits \(model.version in release.toml names it\); there are: v2, v1"):
        latest(objects, Latest.PINNED, "v9")


@pytest.mark.parametrize("kind", list(Latest))
def test_a_name_always_wins(objects: ObjectStore, tmp_path: Path, kind: Latest) -> None:
    """Whatever the rule, a version that is asked for by its name is the one that is frozen."""
    add(objects, tmp_path, "1.0.0", "1.1.0")
    assert ObjectModelStore(objects, NAME, LatestRule(kind, "1.1.0")).freeze("1.0.0").version == "1.0.0"


@pytest.mark.parametrize("content", [b"v1", b"v1\n", b" v1\r\n"])
def test_the_pointer_may_be_a_plain_name(objects: ObjectStore, tmp_path: Path, content: bytes) -> None:
    """A pointer that somebody wrote with `echo` names its version, and can be moved by whoever publishes next."""
    add(objects, tmp_path, "v1", "v2")
    objects.put(f"{NAME}/latest", content)
    assert latest(objects, Latest.POINTER) == "v1"
    add(objects, tmp_path, "v3")
    assert latest(objects, Latest.POINTER) == "v3"


def test_the_pointer_can_be_moved_back(objects: ObjectStore, tmp_path: Path) -> None:
    """Pointing at an older version makes it the latest and tells which one was; again, and nothing happens."""
    add(objects, tmp_path, "v1", "v2")
    store = ObjectModelStore(objects, NAME)
    assert store.point("v1") == "v2"
    pointer = objects.get(f"{NAME}/latest").bytes().to_bytes()
    assert (store.point("v1"), store.freeze(None).version) == ("v1", "v1")
    assert objects.get(f"{NAME}/latest").bytes().to_bytes() == pointer
    assert json.loads(pointer)["digest"] == store.freeze("v1").digest


def test_only_a_whole_version_can_be_pointed_at(objects: ObjectStore, tmp_path: Path) -> None:
    """A version that does not exist, or lost a blob, is refused, and the pointer stays."""
    add(objects, tmp_path, "v1", "v2")
    objects.delete(f"{NAME}/v1/model.onnx")
    store = ObjectModelStore(objects, NAME)
    with pytest.raises(NotFound, match="there are: v2, v1"):
        store.point("v9")
    with pytest.raises(BadBlob, match=r"model\.onnx: found no such blob"):
        store.point("v1")
    assert store.freeze(None).version == "v2"


def test_a_pointer_that_cannot_be_read_is_put_right(objects: ObjectStore, tmp_path: Path) -> None:
    """Rubbish in the pointer's place is overwritten by pointing, and by the next publishing."""
    add(objects, tmp_path, "v1", "v2")
    store = ObjectModelStore(objects, NAME)
    objects.put(f"{NAME}/latest", b"{")
    assert (store.point("v1"), store.freeze(None).version) == ("", "v1")
    objects.put(f"{NAME}/latest", os.urandom(100))
    add(objects, tmp_path, "v3")
    assert store.freeze(None).version == "v3"


@pytest.mark.parametrize("kind", [Latest.NEWEST, Latest.HIGHEST, Latest.PINNED])
def test_a_pointer_that_decides_nothing_is_not_moved(objects: ObjectStore, tmp_path: Path, kind: Latest) -> None:
    """Where another rule decides, pointing is a conflict that names the rule, but for the version that is the latest anyway."""
    add(objects, tmp_path, "1.0.0")
    older(objects, tmp_path, "1.1.0")
    ObjectModelStore(objects, NAME).point("1.0.0")
    store = ObjectModelStore(objects, NAME, LatestRule(kind, "1.1.0"))
    with pytest.raises(Conflict, match=f'found latest = "{kind}"'):
        store.point("1.0.0")
    assert store.point("1.1.0") == "1.1.0"
    assert latest(objects, Latest.POINTER) == "1.0.0"
