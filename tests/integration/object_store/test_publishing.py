"""Publishing: killed anywhere and gone on with, signed, in parallel, and beside somebody else."""

import os
import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect
from nocturne.adapters.object_store.latest import LatestRule
from nocturne.domain.configuration import Latest
from nocturne.domain.errors import BadBlob, Conflict, Rejected
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model

REPOSITORY = Path(__file__).parents[3]


class Publisher:
    """A publisher in another process, who asks before each write."""

    def __init__(self, settings: StoreSettings, folder: Path, version: str) -> None:
        order = folder.with_name("order")
        order.write_bytes(pickle.dumps((settings, folder)))
        program = Path(__file__).with_name("publisher_process.py")
        path = os.pathsep.join([str(REPOSITORY / "plugins"), str(REPOSITORY)])
        self._process = subprocess.Popen(
            [sys.executable, str(program), str(order), version],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run_until(self, moment: str) -> str:
        """Give leave until something is about to be done that begins so; what it is, or the end."""
        assert self._process.stdin
        assert self._process.stdout
        while (line := self._process.stdout.readline().strip()) and not line.startswith((moment, "published")):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return line

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        self._process.kill()
        self._process.wait(timeout=20)


MOMENTS = [
    f"create {NAME}/_claims/v1",
    f"upload {NAME}/v1/",
    f"middle of {NAME}/v1/model.onnx",
    f"create {NAME}/v1/model.sig",
    f"create {NAME}/v1/manifest.json",
    f"create {NAME}/latest",
    f"replace {NAME}/_claims/v1",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_publisher_can_go_on(azure_settings: StoreSettings, tmp_path: Path, moment: str) -> None:
    """Whenever a publisher is killed, readers see nothing or the whole, and publishing the folder again finishes it."""
    folder = write_model(tmp_path / "v1", size=9_000_000)
    publisher = Publisher(azure_settings, folder, "v1")
    assert publisher.run_until(moment).startswith(moment)
    publisher.kill()
    store, manifest = ObjectModelStore(connect(azure_settings), NAME), manifest_of(folder, "v1")
    whole = moment in MOMENTS[5:]
    assert [found.version for found in store.versions()] == (["v1"] if whole else [])
    assert store.unfinished(manifest.digest) == (None if moment == MOMENTS[0] else "v1")
    moved: list[int] = []
    store.publish(folder, manifest, moved.append, "a signature")
    frozen = store.freeze(None)
    assert (frozen.version, frozen.digest, frozen.signature) == ("v1", manifest.digest, "a signature")
    assert sum(moved) == manifest.size
    assert store.unfinished(manifest.digest) is None
    with pytest.raises(Conflict, match="v1 of digits exists already"):
        store.publish(folder, manifest, ignore)
    store.fetch(frozen, "model.onnx", tmp_path / "back", ignore)
    assert (tmp_path / "back").read_bytes() == (folder / "model.onnx").read_bytes()


def test_what_is_there_whole_is_not_sent_again(azure_settings: StoreSettings, tmp_path: Path) -> None:
    """A publisher who goes on leaves blobs alone that are there: their ETags stay."""
    folder, objects = write_model(tmp_path / "v1"), connect(azure_settings)
    publisher = Publisher(azure_settings, folder, "v1")
    publisher.run_until(f"create {NAME}/v1/manifest.json")
    publisher.kill()
    paths = [f"{NAME}/v1/{path}" for path in ("model.onnx", "model.json", "parts/weights.bin")]
    before = [objects.head(path)["e_tag"] for path in paths]
    ObjectModelStore(objects, NAME).publish(folder, manifest_of(folder, "v1"), ignore)
    assert [objects.head(path)["e_tag"] for path in paths] == before


def test_other_files_are_no_going_on(azure_settings: StoreSettings, tmp_path: Path) -> None:
    """Only the same files are gone on with; other ones have nothing unfinished, and may not take the name."""
    folder, other = write_model(tmp_path / "v1"), write_model(tmp_path / "other")
    publisher = Publisher(azure_settings, folder, "v1")
    publisher.run_until(f"create {NAME}/v1/manifest.json")
    publisher.kill()
    store = ObjectModelStore(connect(azure_settings), NAME)
    assert store.unfinished(manifest_of(other, "x").digest) is None
    with pytest.raises(Conflict, match="is being published with other files, or was and broke off"):
        store.publish(other, manifest_of(other, "v1"), ignore)


def test_a_signature_is_published_beside_the_files(objects: ObjectStore, tmp_path: Path) -> None:
    """A signature comes back with the frozen model, and is none of its files; without one it is empty."""
    store, signed, unsigned = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1"), write_model(tmp_path / "v2")
    store.publish(signed, manifest_of(signed, "v1"), ignore, "signed by Ada ✓")
    store.publish(unsigned, manifest_of(unsigned, "v2"), ignore)
    frozen = store.freeze("v1")
    assert (frozen.signature, store.freeze("v2").signature) == ("signed by Ada ✓", "")
    assert "model.sig" not in [file.path for file in frozen.files]
    objects.put(f"{NAME}/v2/model.sig", b"\xff")
    with pytest.raises(BadBlob, match=r"v2/model\.sig is no text"):
        store.freeze("v2")


def test_metrics_come_from_the_card(objects: ObjectStore, tmp_path: Path) -> None:
    """A frozen model has the metrics of its card, so that every release records them."""
    store, folder = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1")
    manifest = manifest_of(folder, "v1")
    manifest.card["metrics"] = {"accuracy": 0.5}
    store.publish(folder, manifest, ignore)
    assert store.freeze(None).metrics == {"accuracy": 0.5}


def test_many_files_are_published_in_little_memory(objects: ObjectStore, tmp_path: Path) -> None:
    """Twenty files of 8 MiB take no more memory than the parts of four of them that are under way."""
    folder = write_model(tmp_path / "v1")
    for number in range(20):
        (folder / f"part{number:02}").write_bytes(bytes(8 * 1024 * 1024))
    store, manifest, moved = ObjectModelStore(objects, NAME), manifest_of(folder, "v1"), []
    tracemalloc.start()
    try:
        store.publish(folder, manifest, moved.append)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 80 * 1024 * 1024
    assert sum(moved) == manifest.size
    assert store.freeze(None).digest == manifest.digest


def test_a_manifest_that_nobody_would_read_is_refused(objects: ObjectStore, tmp_path: Path) -> None:
    """A card that makes the manifest larger than what is read of one is refused before anything is uploaded."""
    folder = write_model(tmp_path / "v1")
    manifest = manifest_of(folder, "v1")
    manifest.card["note"] = "x" * 64_000_000
    with pytest.raises(Rejected, match=r"its manifest has 64,\d{3},\d{3} bytes, expected 64,000,000 at most"):
        ObjectModelStore(objects, NAME).publish(folder, manifest, ignore)
    assert objects.list(NAME).collect() == []


def test_a_name_is_not_taken_twice(objects: ObjectStore, tmp_path: Path) -> None:
    """The name of a version that was published, and removed by hand, is not free for another model."""
    store, folder = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1")
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    objects.delete(f"{NAME}/v1/manifest.json")
    with pytest.raises(Conflict, match="was published before: its name cannot be taken again"):
        store.publish(folder, manifest_of(folder, "v1"), ignore)


@pytest.mark.parametrize("kind", [Latest.NEWEST, Latest.HIGHEST])
def test_a_pointer_that_decides_nothing_is_no_conflict(objects: ObjectStore, tmp_path: Path, kind: Latest) -> None:
    """Where another rule decides, somebody else who published meanwhile is in nobody's way."""
    slow, quick = write_model(tmp_path / "slow"), write_model(tmp_path / "quick")
    others = iter([lambda: ObjectModelStore(objects, NAME).publish(quick, manifest_of(quick, "quick"), ignore)])

    def publish_another(moved: int) -> None:
        for publish in others:
            publish()

    store = ObjectModelStore(objects, NAME, LatestRule(kind))
    store.publish(slow, manifest_of(slow, "slow"), publish_another)
    assert {found.version for found in store.versions()} == {"slow", "quick"}
