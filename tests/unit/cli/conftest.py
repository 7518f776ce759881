from pathlib import Path

import pytest

from nocturne.cli import airflow_database
from tests.fakes.world import FakeWorld
from tests.unit.cli.shell import Shell


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer keeps in an Airflow of their own stays out of the tests."""
    monkeypatch.setattr(airflow_database, "exists", lambda: False)


@pytest.fixture
def fakes(tmp_path: Path) -> FakeWorld:
    """A world with one commit, one published model and an empty production."""
    return FakeWorld(tmp_path)


@pytest.fixture
def shell(fakes: FakeWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command in that world."""
    return Shell(fakes, monkeypatch, capsys)
