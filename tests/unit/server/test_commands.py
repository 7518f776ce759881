import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nocturne.cli.server import commands

VARIABLES = {f"NOCTURNE_{service}_USER": str(os.getuid()) for service in ("AIRFLOW", "POSTGRES", "REDIS", "BLOB")}
VARIABLES["NOCTURNE_AIRFLOW_URL"] = "https://here"

pytestmark = pytest.mark.skipif(os.getgid() != 0, reason="the files belong to group 0, which only its members may give")


def call(folder: Path, *words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(commands, [*words, "--folder", str(folder)], env=VARIABLES, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_password_is_shown_once(tmp_path: Path) -> None:
    """The first start tells address, user and password; later ones tell nothing secret, and `show-password` tells it alone."""
    first = call(tmp_path, "setup")
    password = call(tmp_path, "show-password").strip()
    assert f"https://here  (user admin, password {password})" in first
    assert "nocturne server show-password" in first
    assert call(tmp_path, "setup") == "all secrets are there\n"


def test_a_file_that_was_written_again_is_told_by_name(tmp_path: Path) -> None:
    """A repair says which file it was about, and not what is in it."""
    call(tmp_path, "setup")
    (tmp_path / "airflow" / "jwt_secret").unlink()
    assert call(tmp_path, "setup") == "wrote airflow/jwt_secret\n"


def test_a_rotation_says_what_is_to_be_done(tmp_path: Path) -> None:
    """The commands that follow are printed, the new value is not."""
    call(tmp_path, "setup")
    told = call(tmp_path, "rotate", "fernet")
    assert "docker compose exec scheduler airflow rotate-fernet-key" in told
    assert (tmp_path / "airflow" / "fernet_key").read_text().split(",")[0] not in told
