"""Several people at one store at the same time."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect
from nocturne.domain.errors import Conflict, NotFound
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model


def outcome(action: Callable[[], None]) -> str:
    try:
        action()
    except Conflict as error:
        return f"conflict: {error.message}"
    return "published"


@pytest.mark.parametrize("seeds", [(b"a", b"a"), (b"a", b"b")], ids=["same files", "other files"])
@pytest.mark.parametrize("attempt", range(3))
def test_of_two_publishers_of_one_version_one_wins(
    settings: StoreSettings, tmp_path: Path, seeds: tuple[bytes, bytes], attempt: int
) -> None:
    """Two people who publish the same version at the same moment: one gets a conflict, and what is there is whole."""
    folders = [write_model(tmp_path / str(place), seed=seed, size=20_000_000) for place, seed in enumerate(seeds)]
    together = Barrier(2)

    def publish(folder: Path) -> str:
        store, manifest = ObjectModelStore(connect(settings), NAME), manifest_of(folder, "v1")
        together.wait(timeout=20)
        return outcome(lambda: store.publish(folder, manifest, ignore))

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(publish, folders))
    assert sorted(text.partition(":")[0] for text in outcomes) == ["conflict", "published"]
    store, winner = ObjectModelStore(connect(settings), NAME), folders[outcomes.index("published")]
    frozen = store.freeze(None)
    store.fetch(frozen, "model.onnx", tmp_path / "back", ignore)
    assert (tmp_path / "back").read_bytes() == (winner / "model.onnx").read_bytes()


@pytest.mark.parametrize("published_before", [False, True], ids=["first version ever", "later version"])
def test_a_pointer_moved_meanwhile_is_left_alone(objects: ObjectStore, tmp_path: Path, published_before: bool) -> None:
    """Whoever finds `latest` moved during his upload gets a conflict that says so; his version is whole nevertheless."""
    store = ObjectModelStore(objects, NAME)
    slow, quick, before = write_model(tmp_path / "slow"), write_model(tmp_path / "quick"), write_model(tmp_path / "before")
    if published_before:
        store.publish(before, manifest_of(before, "v0"), ignore)
    others = iter([lambda: store.publish(quick, manifest_of(quick, "quick"), ignore)])

    def publish_another(moved: int) -> None:
        for publish in others:
            publish()

    with pytest.raises(Conflict, match="slow of digits is uploaded whole, but somebody else made quick the latest"):
        store.publish(slow, manifest_of(slow, "slow"), publish_another)
    assert store.freeze(None).version == "quick"
    assert store.freeze("slow").digest == manifest_of(slow, "slow").digest


def test_a_version_that_came_whole_meanwhile_is_left_alone(objects: ObjectStore, tmp_path: Path) -> None:
    """Whoever finds another manifest where his was to go gets a conflict, and that manifest stays."""
    store, folder = ObjectModelStore(objects, NAME), write_model(tmp_path / "v1")

    def another(moved: int) -> None:
        objects.put(f"{NAME}/v1/manifest.json", b"another")

    with pytest.raises(Conflict, match="somebody else published the version v1"):
        store.publish(folder, manifest_of(folder, "v1"), another)
    assert objects.get(f"{NAME}/v1/manifest.json").bytes() == b"another"


def test_a_reader_never_sees_half_a_version(settings: StoreSettings, tmp_path: Path) -> None:
    """While versions are published one after the other, every freeze and every fetch finds a whole one."""
    folders = {f"v{number}": write_model(tmp_path / f"v{number}", size=2_000_000) for number in range(6)}
    manifests = {version: manifest_of(folder, version) for version, folder in folders.items()}
    done, seen, before_the_first = Event(), [], []

    def read() -> None:
        store = ObjectModelStore(connect(settings), NAME)
        while not done.is_set():
            try:
                frozen = store.freeze(None)
            except NotFound:
                before_the_first.append(seen[:])
                continue
            assert frozen.digest == manifests[frozen.version].digest
            for file in frozen.files:
                store.fetch(frozen, file.path, tmp_path / "back" / file.path, ignore)
            assert all(listing.manifest == manifests[listing.version] for listing in store.versions())
            seen.append(frozen.version)

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            writer = ObjectModelStore(connect(settings), NAME)
            for version, folder in folders.items():
                before = len(seen)
                writer.publish(folder, manifests[version], ignore)
                while len(seen) == before and not reader.done():
                    time.sleep(0.01)
        finally:
            done.set()
        reader.result(timeout=60)
    assert len(seen) >= len(folders)
    assert seen == sorted(seen)
    assert not any(before_the_first)


def test_half_a_version_is_in_no_list(objects: ObjectStore, tmp_path: Path) -> None:
    """At every moment of an upload the list and `latest` are those from before it."""
    store = ObjectModelStore(objects, NAME)
    first, second = write_model(tmp_path / "v1"), write_model(tmp_path / "v2")
    store.publish(first, manifest_of(first, "v1"), ignore)
    looks = []

    def look(moved: int) -> None:
        looks.append(([listing.version for listing in store.versions()], store.freeze(None).version))

    store.publish(second, manifest_of(second, "v2"), look)
    assert looks == [(["v1"], "v1")] * 3
