import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.app_repository import CLONE
from tests.e2e.place import Place, new_place


@pytest.fixture(scope="module")
def place(prepared: None) -> Iterator[Place]:
    """Everything up on Swarm, with nothing released yet; down again at the end, and its data removed."""
    yield from standing(new_place(CLONE / ".nocturne-test" / "e2e-swarm", "swarm", 18080))


def standing(place: Place) -> Iterator[Place]:
    """A place while its sandbox is up."""
    with _only_one_on_this_machine(place):
        place.run("sandbox", "clean")
        started = place.run("sandbox", "up", "--no-night")
        assert started.returncode == 0, started.stdout + started.stderr
        yield place
        cleaned = place.run("sandbox", "clean")
        assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr


@contextmanager
def _only_one_on_this_machine(place: Place) -> Iterator[None]:
    """Ports and names are those of every clone's place: wait until no other has them, and remove what a killed one left of them."""
    with (Path(tempfile.gettempdir()) / f"{place.name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        before = Path(lock.read().strip() or place.home)
        if before != place.home and before.exists():
            cleaned = replace(place, home=before).run("sandbox", "clean")
            assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
        lock.truncate(0)
        lock.write(str(place.home))
        lock.flush()
        yield
