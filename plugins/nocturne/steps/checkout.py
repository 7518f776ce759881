"""The app's folder at a commit, on this machine, for as long as a step needs it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nocturne.steps.world import World


@contextmanager
def checked_out(world: World, commit: str) -> Iterator[Path]:
    """The app's folder, named as in its repository and alone in a scratch folder that goes away afterwards."""
    scratch = world.cache.scratch("checkout")
    try:
        app = scratch / Path(world.configuration.code.folder).name
        world.code.export(commit, app)
        yield app
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
