"""Bring the frozen model to this machine, and refuse one that is not what its manifest says."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nocturne.domain.errors import BadBlob, Rejected
from nocturne.domain.model import FrozenModel, ModelFile
from nocturne.domain.records import Release
from nocturne.steps.world import Outcome, Run, World


def fetch_model(world: World, run: Run, release: Release) -> Outcome:
    """Fill the cache. Skipped where every file is in it. Raises Rejected when a blob is corrupt, BlobChanged when it moved."""
    model = release.inputs.model
    missing = [file for file in model.files if world.cache.path(file.sha256) is None]
    if not missing:
        return Outcome(f"model {model.version} is in the cache: {len(model.files)} files, known by their sha256", skipped=True)
    started = time.monotonic()
    cached_files(world, model)
    size, seconds = sum(file.size for file in missing), time.monotonic() - started
    return Outcome(f"fetched model {model.version}: {size:,} bytes in {seconds:.1f} s ({size / 1e6 / max(seconds, 1e-3):.0f} MB/s)")


def cached_files(world: World, model: FrozenModel) -> dict[str, Path]:
    """Each file of a model in the cache, by its path in the model, fetched where it is missing.

    Any step that needs the model calls this: it may run on another machine than the step before it.
    """
    return {file.path: _cached(world, model, file) for file in model.files}


@contextmanager
def model_folder(world: World, model: FrozenModel) -> Iterator[Path]:
    """A folder with the model's files under their own names, for as long as a step needs it."""
    files = cached_files(world, model)
    scratch = world.cache.scratch("model")
    try:
        for path, source in files.items():
            target = scratch / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _cached(world: World, model: FrozenModel, file: ModelFile) -> Path:
    def fetch(destination: Path) -> None:
        world.log(f"fetching {model.version}/{file.path} ({file.size:,} bytes)")
        world.models.fetch(model, file.path, destination, lambda moved: None)

    try:
        return world.cache.put(file.sha256, fetch)
    except Rejected as error:
        raise BadBlob(error.message, advice=error.advice, culprits=(model.label,)) from error
