from pathlib import Path

import pytest

from nocturne.steps import look
from tests.fakes.world import FakeWorld


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    """A world with one commit, one published model and an empty production."""
    return FakeWorld(tmp_path)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollout on its way, or a cluster that is away, is not waited for as long as in earnest."""
    monkeypatch.setattr(look, "_SECONDS", 0.1)
    monkeypatch.setattr(look, "_AGAIN_SECONDS", 0.1)
