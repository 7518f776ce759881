"""Bringing the model to this machine: what is asked of the cache, and what is said of it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from nocturne.domain import digest
from nocturne.domain.errors import Broken
from nocturne.domain.model import FrozenModel
from nocturne.domain.records import Release
from nocturne.steps.fetch_model import cached_files, fetch_model, model_folder
from nocturne.steps.world import Run
from tests.fakes.file_cache import FakeFileCache
from tests.fakes.inputs import some_inputs
from tests.fakes.world import FakeWorld


@pytest.fixture
def model(world: FakeWorld) -> FrozenModel:
    return world.models.freeze(None)


def test_room_is_asked_for_before_anything_comes(world: FakeWorld, model: FrozenModel) -> None:
    """The whole model's bytes are reserved first; when there is no room, nothing is fetched."""
    world.cache.fail_next("reserve", Broken("the disk is too full"))
    with pytest.raises(Broken, match="too full"):
        cached_files(world, model)
    assert world.models.calls["fetch"] == 0
    cached_files(world, model)
    assert world.cache.reserved == [model.size]


def test_only_what_is_missing_is_reserved(world: FakeWorld, model: FrozenModel) -> None:
    """A model whose files are all there asks for no bytes, and is not fetched again."""
    cached_files(world, model)
    cached_files(world, model)
    assert world.cache.reserved == [model.size, 0]
    assert world.models.calls["fetch"] == len(model.files)


def test_the_log_tells_each_files_end(world: FakeWorld, model: FrozenModel) -> None:
    """Every file that was fetched is told with its size and rate, one that was there is not."""
    cached_files(world, model)
    cached_files(world, model)
    ended = [line.partition(": ")[0] for line in world.lines if line.endswith("MB/s")]
    assert sorted(ended) == sorted(file.path for file in model.files)


def test_the_model_has_a_folder_of_its_own(world: FakeWorld, model: FrozenModel) -> None:
    """The files stand in a new folder under their own names as what they are, not as links to elsewhere; then it is gone."""
    with model_folder(world, model) as folder:
        found = {path.name: path.read_bytes() for path in folder.iterdir() if not path.is_symlink()}
    assert found == {"model.onnx": b"weights 1", "model.json": b"{}"}
    assert not folder.exists()
    assert all(world.cache.path(file.sha256) for file in model.files)


def test_a_folder_where_links_are_not_possible(world: FakeWorld, model: FrozenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system makes no hard links, the files are copied; a copy that fails is broken machinery."""

    def refuse(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    with model_folder(world, model) as folder:
        assert (folder / "model.onnx").read_bytes() == b"weights 1"
    monkeypatch.setattr("shutil.copyfile", refuse)
    with pytest.raises(Broken, match=r"writing .*model\.\w+ failed"), model_folder(world, model):
        pass


class FilledMeanwhile(FakeFileCache):
    """A cache into which another process brings the model just before we would."""

    def __init__(self, folder: Path, contents: list[bytes]) -> None:
        super().__init__(folder)
        self._contents = contents

    def reserve(self, sizes: Mapping[str, int]) -> None:
        super().reserve(sizes)
        for content in self._contents:
            self.put(digest.of_bytes(content), lambda path, content=content: path.write_bytes(content))


def test_what_another_process_fetched_is_not_claimed(world: FakeWorld, model: FrozenModel, tmp_path: Path) -> None:
    """A worker that only waited for another one says so, and not how fast it was."""
    world.cache = FilledMeanwhile(tmp_path / "other", [b"weights 1", b"{}"])
    inputs = replace(some_inputs(), model=model)
    outcome = fetch_model(
        world, Run("run", "production", "somebody"), Release(inputs.release_id, inputs, {}, "2026-11-20T02:00:00Z")
    )
    assert "another process of this machine fetched model v1 meanwhile" in outcome.message
    assert world.models.calls["fetch"] == 0
