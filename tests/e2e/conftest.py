from collections.abc import Iterator

import pytest

from tests.e2e.place import CLONE, Place, new_place


@pytest.fixture(scope="session")
def place(prepared: None) -> Iterator[Place]:
    """Everything up, with nothing released yet; down again at the end, and its data removed."""
    found = new_place(CLONE / ".nocturne-test" / "e2e")
    found.run("sandbox", "clean")
    started = found.run("sandbox", "up", "--no-night")
    assert started.returncode == 0, started.stdout + started.stderr
    yield found
    cleaned = found.run("sandbox", "clean")
    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
