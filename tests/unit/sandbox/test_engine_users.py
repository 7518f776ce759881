import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.sandbox.engine_users import EngineUsers
from nocturne.sandbox.supervised import SupervisedProcess


@pytest.fixture
def users(tmp_path: Path) -> EngineUsers:
    return EngineUsers(tmp_path / "engine")


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Path]:
    """The home of a sandbox of which one process runs."""
    process = SupervisedProcess("part", tmp_path / "neighbour")
    process.start(["sleep", "60"], os.environ)
    yield tmp_path / "neighbour"
    process.stop()


def end_registrar(users: EngineUsers, home: Path) -> None:
    """Make it look as if the command that registered a sandbox had ended."""
    file = users._file(home)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"started": 0}))


def test_a_sandbox_is_not_its_own_neighbour(users: EngineUsers, tmp_path: Path) -> None:
    """The only user of an engine may turn it off."""
    users.add(tmp_path / "mine")
    assert users.others(tmp_path / "mine") == []


def test_a_sandbox_with_a_running_part_is_a_user(users: EngineUsers, neighbour: Path, tmp_path: Path) -> None:
    """A neighbour counts as long as anything of it runs, though the command that started it has ended."""
    users.add(neighbour)
    end_registrar(users, neighbour)
    assert users.others(tmp_path / "mine") == [neighbour]


def test_a_running_command_is_a_user(users: EngineUsers, tmp_path: Path) -> None:
    """Whoever registered and still runs counts, even before anything was started."""
    users.add(tmp_path / "other")
    assert users.others(tmp_path / "mine") == [tmp_path / "other"]


def test_a_dead_sandbox_is_forgotten(users: EngineUsers, tmp_path: Path) -> None:
    """A neighbour that ended without saying so does not keep the engine up for ever."""
    users.add(tmp_path / "dead")
    end_registrar(users, tmp_path / "dead")
    assert users.others(tmp_path / "mine") == []
    assert not users._file(tmp_path / "dead").exists()


def test_whoever_left_is_no_user(users: EngineUsers, neighbour: Path, tmp_path: Path) -> None:
    """After `remove` a neighbour does not count, whatever of it runs."""
    users.add(neighbour)
    users.remove(neighbour)
    assert users.others(tmp_path / "mine") == []
