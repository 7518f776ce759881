import json
import os
import stat
from pathlib import Path

import pytest

from nocturne.domain.errors import Broken, ConfigurationError, NotFound
from nocturne.server.rotation import ROTATED, rotate
from nocturne.server.server_secrets import SecretStore
from nocturne.server.settings import Settings
from nocturne.server.setup import administrator_password, set_up
from tests.integration.sql_ledger.processes import at_once

# Everything to whoever runs the tests: only root can give files away.
US = {"airflow_user": os.getuid(), "postgres_user": os.getuid(), "redis_user": os.getuid(), "blob_user": os.getuid()}
SETTINGS = Settings(group=os.getgid(), **US)
FILES = [
    "airflow/admin_password",
    "airflow/api_secret",
    "airflow/broker_url",
    "airflow/connections.json",
    "airflow/database_url",
    "airflow/fernet_key",
    "airflow/jwt_secret",
    "airflow/result_backend",
    "all/secrets.json",
    "blob/accounts",
    "postgres/password",
    "redis/redis.conf",
]


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its text."""
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_first_start_makes_every_file(tmp_path: Path) -> None:
    """Each service finds its own, and nothing else is left in the folders."""
    done = set_up(tmp_path, SETTINGS)
    assert done.first
    assert list(content(tmp_path)) == FILES


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    """No file is written again, and no value is another one."""
    set_up(tmp_path, SETTINGS)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    done = set_up(tmp_path, SETTINGS)
    assert (done.first, done.written) == (False, [])
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()} == before


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    """Only PostgreSQL's password has a second reader: the group of those who make its roles."""
    set_up(tmp_path, SETTINGS)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in FILES}
    assert modes.pop("postgres/password") == 0o440
    assert modes.pop("all/secrets.json") == 0o600
    assert set(modes.values()) == {0o400}
    assert stat.S_IMODE((tmp_path / "all").stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_each_file_belongs_to_the_user_of_its_service(tmp_path: Path) -> None:
    """Airflow is 50000, PostgreSQL and Redis are 999; other images may have others."""
    set_up(tmp_path, Settings(redis_user=100))
    owners = {name: (tmp_path / name).stat().st_uid for name in FILES}
    assert {owner for name, owner in owners.items() if name.startswith("airflow/")} == {50000}
    assert (owners["postgres/password"], owners["redis/redis.conf"], owners["blob/accounts"], owners["all/secrets.json"]) == (
        999,
        100,
        0,
        0,
    )


def test_a_file_that_is_missing_or_changed_is_put_right(tmp_path: Path) -> None:
    """What a service reads is made again from the one file that holds all; only that is told."""
    set_up(tmp_path, SETTINGS)
    before = content(tmp_path)
    (tmp_path / "airflow" / "fernet_key").unlink()
    (tmp_path / "redis" / "redis.conf").chmod(0o644)
    (tmp_path / "postgres" / "password").chmod(0o640)
    (tmp_path / "postgres" / "password").write_text("other")
    assert sorted(set_up(tmp_path, SETTINGS).written) == ["airflow/fernet_key", "postgres/password", "redis/redis.conf"]
    assert content(tmp_path) == before


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path) -> None:
    """A half-written file beside the others is no file of any service."""
    set_up(tmp_path, SETTINGS)
    (tmp_path / "airflow" / "fernet_key.0a1b2c3d.partial").write_text("half a")
    (tmp_path / "all" / "secrets.json.0a1b2c3d.partial").write_text("half a")
    set_up(tmp_path, SETTINGS)
    assert list(content(tmp_path)) == FILES


def test_an_upgrade_adds_what_is_new_and_keeps_what_is_there(tmp_path: Path) -> None:
    """A file of an older program gets the missing secret; one that only a newer program knows stays in it."""
    set_up(tmp_path, SETTINGS)
    file = tmp_path / "all" / "secrets.json"
    before = json.loads(file.read_text())
    older = {name: value for name, value in before.items() if name != "redis"} | {"of_tomorrow": "x"}
    file.write_text(json.dumps(older))
    done = set_up(tmp_path, SETTINGS)
    after = json.loads(file.read_text())
    assert not done.first
    assert after == {**older, "redis": after["redis"]}
    assert after["redis"] in (tmp_path / "redis" / "redis.conf").read_text()


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"jwt": 1}', '{"jwt": ""}', '["jwt"]'])
def test_a_damaged_file_is_never_replaced(tmp_path: Path, text: str) -> None:
    """New secrets would lock everybody out of the data that the old ones protect, so it is an error that repeats no secret."""
    set_up(tmp_path, SETTINGS)
    file = tmp_path / "all" / "secrets.json"
    file.write_text(text)
    with pytest.raises(Broken, match="expected one text for each of"):
        set_up(tmp_path, SETTINGS)
    assert file.read_text() == text


def test_several_first_starts_end_with_the_same_secrets(tmp_path: Path) -> None:
    """Of four at once one is the first, and all read what that one made."""

    def work(_: int) -> tuple[bool, str]:
        done = set_up(tmp_path, SETTINGS)
        return done.first, done.secrets.fernet

    results = at_once(4, work)
    assert sorted(first for first, _ in results) == [False, False, False, True]
    assert len({fernet for _, fernet in results}) == 1


def test_the_password_is_not_there_before_the_first_start(tmp_path: Path) -> None:
    """Asking for it makes nothing, and says who does."""
    with pytest.raises(NotFound, match="docker compose up setup"):
        administrator_password(tmp_path)
    assert content(tmp_path) == {}


@pytest.mark.parametrize("name", ROTATED)
def test_a_rotated_secret_is_another_one_and_the_others_stay(tmp_path: Path, name: str) -> None:
    """Every file with the old value has the new one, and a fernet key goes in front of the old ones."""
    set_up(tmp_path, SETTINGS)
    before = json.loads((tmp_path / "all" / "secrets.json").read_text())
    assert rotate(tmp_path, SETTINGS, name)
    after = json.loads((tmp_path / "all" / "secrets.json").read_text())
    assert [key for key in before if before[key] != after[key]] == [name]
    if name == "fernet":
        assert after["fernet"].split(",")[1:] == [before["fernet"]]
        return
    assert not [file for file, text in content(tmp_path).items() if before[name] in text]
    assert [file for file, text in content(tmp_path).items() if after[name] in text and file != "all/secrets.json"]


def test_an_unknown_secret(tmp_path: Path) -> None:
    """A name that is none changes nothing and lists those that are."""
    set_up(tmp_path, SETTINGS)
    before = content(tmp_path)
    with pytest.raises(ConfigurationError, match="found 'postgres', expected one of admin_password"):
        rotate(tmp_path, SETTINGS, "postgres")
    assert content(tmp_path) == before


def test_secrets_do_not_show_when_printed(tmp_path: Path) -> None:
    """The repr, which ends up in logs, holds no secret."""
    done = set_up(tmp_path, SETTINGS)
    assert done.secrets.fernet not in repr(done)
    assert done.secrets.admin_password not in repr(SecretStore(tmp_path / "all").load())


def test_a_folder_that_is_not_ours_is_a_sentence(tmp_path: Path) -> None:
    """What cannot be written is told with the way out, not as a traceback."""
    (tmp_path / "all").write_text("a file where the folder should be")
    with pytest.raises(Broken, match="run this as root"):
        set_up(tmp_path, SETTINGS)
