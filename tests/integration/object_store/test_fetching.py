"""A real store, a real cache, real processes: the work is done once, whole or not at all, whatever dies."""

import os
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.file_cache import LocalFileCache
from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.download import Download, Pace
from nocturne.domain import digest
from nocturne.domain.errors import BlobChanged, Broken, Rejected
from nocturne.domain.model import FrozenModel, ModelFile
from nocturne.domain.records import Release
from nocturne.steps.fetch_model import cached_files, fetch_model, model_folder
from nocturne.steps.world import Run
from tests.fakes.inputs import some_inputs
from tests.fakes.world import FakeWorld
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model
from tests.integration.object_store.proxy import Network, network, stall
from tests.other_process import process, wait_until

SIZE = 40_000_000
_MIB = 1024 * 1024


@pytest.fixture
def model(azure_settings: StoreSettings, tmp_path: Path) -> FrozenModel:
    """A published model of 40 MB and two small files."""
    folder = write_model(tmp_path / "v1", size=SIZE)
    store = ObjectModelStore(connect(azure_settings), NAME)
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    return store.freeze(None)


@pytest.fixture
def line(azure_settings: StoreSettings) -> Iterator[Network]:
    """What is between the workers and the store."""
    url = urlsplit(azure_settings.endpoint)
    with network(f"{url.scheme}://{url.netloc}") as made:
        yield made


@pytest.fixture
def settings(azure_settings: StoreSettings, line: Network) -> StoreSettings:
    """The store, through that."""
    return replace(azure_settings, endpoint=line.url + urlsplit(azure_settings.endpoint).path)


def world_of(settings: StoreSettings, folder: Path, limit: int = 0) -> FakeWorld:
    """A worker: only its store and its cache matter here, and both are real."""
    own = folder / str(os.getpid())
    own.mkdir(parents=True, exist_ok=True)
    world = FakeWorld(own)
    world.models = ObjectModelStore(connect(settings), NAME)
    world.cache = LocalFileCache(folder / "shared", limit)
    return world


def release_of(model: FrozenModel) -> Release:
    inputs = replace(some_inputs(), model=model)
    return Release(inputs.release_id, inputs, {}, "2026-11-20T02:00:00Z")


def content_of(model: FrozenModel, published: Path) -> dict[str, bytes]:
    return {file.path: (published / file.path).read_bytes() for file in model.files}


def _fetch(settings: StoreSettings, folder: Path, model: FrozenModel, ready: Path, go: Path) -> None:
    world = world_of(settings, folder)
    ready.touch()
    while not go.exists():
        time.sleep(0.01)
    files = cached_files(world, model)
    assert {path: file.stat().st_size for path, file in files.items()} == {file.path: file.size for file in model.files}


def _use(settings: StoreSettings, folder: Path, model: FrozenModel, using: Path) -> None:
    with model_folder(world_of(settings, folder), model) as files:
        using.with_suffix(".new").write_text(str(files))
        using.with_suffix(".new").replace(using)
        time.sleep(60)


def _fetch_until_full(settings: StoreSettings, folder: Path, model: FrozenModel) -> None:
    file = next(file for file in model.files if file.path == "model.onnx")
    blob = f"{NAME}/{model.version}/{file.path}"
    download = Download(Blobs(connect(settings)), blob, model.etags[file.path], file, Pace(_MIB, at_once=2))

    def fill_the_disk(moved: int) -> None:
        # No process may write beyond this place of a file from now on: the kernel refuses as it does on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MIB, _MIB))

    with pytest.raises(Broken, match=r"writing .* failed: File too large") as raised:
        LocalFileCache(folder / "shared").put(file.sha256, lambda path: download.to(path, fill_the_disk))
    assert "larger disk" in raised.value.advice


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_two_workers_do_the_work_once(settings: StoreSettings, line: Network, model: FrozenModel, tmp_path: Path) -> None:
    """Two processes that fetch the same model at the same moment ask the store for each range once, and both have it whole."""
    go, folder = tmp_path / "go", tmp_path / "worker"
    ready = [tmp_path / "ready-1", tmp_path / "ready-2"]
    with (
        process(_fetch, settings, folder, model, ready[0], go) as one,
        process(_fetch, settings, folder, model, ready[1], go) as other,
    ):
        wait_until(lambda: all(file.exists() for file in ready), one)
        go.touch()
        one.join(60)
        other.join(60)
        assert (one.exitcode, other.exitcode) == (0, 0)
    ranges = [(seen.path, seen.first_byte) for seen in line.of("^GET .*/v1/")]
    assert len(ranges) == len(set(ranges))
    assert sorted(first for path, first in ranges if path.endswith("model.onnx")) == list(range(0, SIZE, Pace().range_bytes))
    found = {file.path: LocalFileCache(folder / "shared").path(file.sha256) for file in model.files}
    assert {path: file.read_bytes() for path, file in found.items() if file} == content_of(model, tmp_path / "v1")


def test_a_killed_fetch_leaves_nothing_that_hurts(
    settings: StoreSettings, line: Network, model: FrozenModel, tmp_path: Path
) -> None:
    """After SIGKILL in mid-download nothing of it counts as cached, and the next fetch removes its bytes and has the model."""
    go, folder = tmp_path / "go", tmp_path / "worker"
    go.touch()
    line.spoil(r"^GET .*model\.onnx", *[stall(after=_MIB)] * 3)
    with process(_fetch, settings, folder, model, tmp_path / "ready", go) as killed:
        wait_until(lambda: list(folder.rglob(".*.part")) and len(line.of(r"^GET .*model\.onnx")) >= 3, killed)
    left = list((folder / "shared").rglob(".*.part"))
    assert [file.stat().st_size for file in left] == [SIZE]
    files = cached_files(world_of(settings, folder), model)
    assert {path: file.read_bytes() for path, file in files.items()} == content_of(model, tmp_path / "v1")
    assert files_below(folder / "shared") == sorted(file.name for file in files.values())


def test_a_model_in_use_stays_whole(settings: StoreSettings, model: FrozenModel, tmp_path: Path) -> None:
    """While one process works on a model's folder, another one whose limit is too small evicts none of it."""
    using, folder = tmp_path / "using", tmp_path / "worker"
    with process(_use, settings, folder, model, using) as user:
        wait_until(using.exists, user)
        cached = files_below(folder / "shared" / "sha256")
        LocalFileCache(folder / "shared", limit=1).reserve({"sha256:" + "0" * 64: 1})
        assert files_below(folder / "shared" / "sha256") == cached
        place = Path(using.read_text())
        assert {file.path: (place / file.path).read_bytes() for file in model.files} == content_of(model, tmp_path / "v1")
        assert not [path for path in place.rglob("*") if path.is_symlink()]
    LocalFileCache(folder / "shared", limit=1).reserve({"sha256:" + "0" * 64: 1})
    assert files_below(folder / "shared" / "sha256") == []


def test_a_disk_that_is_too_small_is_told_before_the_download(
    settings: StoreSettings, line: Network, model: FrozenModel, tmp_path: Path
) -> None:
    """A model that no disk can hold is an error with the numbers, and the store is not even asked."""
    huge = replace(model, files=(*model.files, ModelFile("huge.bin", 10**18, "sha256:" + "1" * 64)))
    world, run = world_of(settings, tmp_path / "worker"), Run("run", "production", "somebody")
    with pytest.raises(Broken, match=r"is too full: found [\d,]+ bytes free .* expected 1,000,000,\d{3},\d{3},\d{3},\d{3}: "):
        cached_files(world, huge)
    assert line.seen == []
    assert "fetched model v1: 40,00" in fetch_model(world, run, release_of(model)).message
    assert fetch_model(world, run, release_of(model)).skipped


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(settings: StoreSettings, model: FrozenModel, tmp_path: Path) -> None:
    """A write that the system refuses in mid-download is broken machinery, and what had come is gone."""
    with process(_fetch_until_full, settings, tmp_path / "worker", model) as running:
        running.join(60)
        assert running.exitcode == 0
    assert files_below(tmp_path / "worker") == []


def test_a_second_model_takes_the_place_of_the_first(
    settings: StoreSettings, model: FrozenModel, objects: ObjectStore, tmp_path: Path
) -> None:
    """Where the limit holds one model, the older one leaves when the newer one is fetched."""
    (tmp_path / "go").touch()
    with process(_fetch, settings, tmp_path / "worker", model, tmp_path / "ready", tmp_path / "go") as before:
        before.join(60)
        assert before.exitcode == 0
    folder = write_model(tmp_path / "v2", size=SIZE)
    store = ObjectModelStore(objects, NAME)
    store.publish(folder, manifest_of(folder, "v2"), ignore)
    second = world_of(settings, tmp_path / "worker", limit=SIZE + 1_000_000)
    newer = cached_files(second, store.freeze("v2"))
    assert newer["model.onnx"].read_bytes() == (folder / "model.onnx").read_bytes()
    kept = files_below(tmp_path / "worker" / "shared" / "sha256")
    older = next(file for file in model.files if file.path == "model.onnx")
    assert newer["model.onnx"].name in kept
    assert not [name for name in kept if name.startswith(older.sha256.removeprefix("sha256:"))]


def test_an_overwritten_blob_is_had_by_its_version(versioned_settings: StoreSettings, tmp_path: Path) -> None:
    """Where the store keeps versions the frozen one is fetched, though the blob was overwritten; without its id it has changed."""
    objects, content = connect(versioned_settings), os.urandom(3 * _MIB)
    put = objects.put("model.onnx", content)
    objects.put("model.onnx", os.urandom(3 * _MIB))
    assert put["e_tag"]
    assert put["version"]
    file = ModelFile("model.onnx", len(content), digest.of_bytes(content))
    pinned = Download(Blobs(objects), "model.onnx", put["e_tag"], file, Pace(_MIB), put["version"])
    pinned.to(tmp_path / "back", ignore)
    assert (tmp_path / "back").read_bytes() == content
    with pytest.raises(BlobChanged):
        replace(pinned, version="").to(tmp_path / "again", ignore)
    with pytest.raises(Rejected, match="is corrupt"):
        replace(pinned, file=replace(file, sha256="sha256:" + "0" * 64)).to(tmp_path / "again", ignore)
    assert files_below(tmp_path) == ["back"]
