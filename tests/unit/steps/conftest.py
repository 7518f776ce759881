from pathlib import Path

import pytest

from tests.fakes.world import FakeWorld


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    """A world with one commit, one published model and an empty production."""
    return FakeWorld(tmp_path)
