"""Bring the frozen model to this machine, and refuse one that is not what its manifest says."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nocturne.domain.errors import BadBlob, Broken, Rejected
from nocturne.domain.model import FrozenModel, ModelFile
from nocturne.domain.records import Release
from nocturne.steps.fetch_progress import FetchProgress, rate
from nocturne.steps.model_content import check_size
from nocturne.steps.trust import check_trust
from nocturne.steps.world import Outcome, Run, World


def fetch_model(world: World, run: Run, release: Release) -> Outcome:
    """Fill the cache, and look whether the model may be let in. Skipped where every file is in it, and known to be good.

    Raises Rejected when a blob is corrupt or the model is not to be trusted, BlobChanged when a blob moved, and Broken, before
    anything is fetched, when the disk is too full.
    """
    model = release.inputs.model
    check_size(world, model)
    fetched = _fetch(world, model)
    trusted = check_trust(world, run, release, lambda: model_folder(world, model))
    return Outcome(f"{fetched.message}, {trusted.message}", fetched.skipped and trusted.skipped)


def _fetch(world: World, model: FrozenModel) -> Outcome:
    if all(world.cache.path(file.sha256) for file in model.files):
        return Outcome(f"model {model.version} is in the cache: {len(model.files)} files, known by their sha256", skipped=True)
    started, progress = time.monotonic(), FetchProgress(world.log)
    _fill(world, model, progress)
    seconds = time.monotonic() - started
    if not progress.moved:
        return Outcome(f"another process of this machine fetched model {model.version} meanwhile; waited {seconds:.1f} s for it")
    return Outcome(
        f"fetched model {model.version}: {progress.moved:,} bytes in {seconds:.1f} s ({rate(progress.moved, seconds)} on average)"
    )


def cached_files(world: World, model: FrozenModel) -> dict[str, Path]:
    """Each file of a model in the cache, by its path in the model, fetched where it is missing.

    Any step that needs the model calls this: it may run on another machine than the step before it.
    """
    return _fill(world, model, FetchProgress(world.log))


@contextmanager
def model_folder(world: World, model: FrozenModel) -> Iterator[Path]:
    """A folder with the model's files under their own names, for as long as a step needs it. Writing to them is forbidden: they
    are the cached files themselves."""
    files = cached_files(world, model)
    scratch = world.cache.scratch("model")
    try:
        for path, source in files.items():
            target = scratch / path
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fill(world: World, model: FrozenModel, progress: FetchProgress) -> dict[str, Path]:
    world.cache.reserve({file.sha256: file.size for file in model.files})
    return {file.path: _cached(world, model, file, progress) for file in model.files}


def _link(source: Path, target: Path) -> None:
    # Not symbolic: runtimes refuse weights whose link leaves the model's folder.
    try:
        os.link(source, target)
    except OSError:  # another file system, or one that has no links
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise Broken(f"writing {target} failed: {error.strerror}", advice="look at the disk of this worker") from error


def _cached(world: World, model: FrozenModel, file: ModelFile, progress: FetchProgress) -> Path:
    def fetch(destination: Path) -> None:
        world.log(f"fetching {model.version}/{file.path} ({file.size:,} bytes)")
        progress.fetch(file, lambda moved: world.models.fetch(model, file.path, destination, moved))

    try:
        return world.cache.put(file.sha256, fetch, checked=True)
    except Rejected as error:
        raise BadBlob(error.message, advice=error.advice, culprits=(model.label,)) from error
