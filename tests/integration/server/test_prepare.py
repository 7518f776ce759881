"""The whole of `nocturne server databases`, with a real Airflow, in a process of its own as in the stack."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from werkzeug.security import check_password_hash

from nocturne.server.rotation import rotate
from nocturne.server.settings import Settings
from nocturne.server.setup import set_up
from tests.integration.server.postgres import Postgres

pytestmark = pytest.mark.timeout(600)
BACKEND = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
US = {"airflow_user": os.getuid(), "postgres_user": os.getuid(), "redis_user": os.getuid(), "blob_user": os.getuid()}


class Stack:
    """The secrets' folder, and commands in the environment that docker-compose.yaml gives them."""

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self.folder, self._postgres = folder, postgres
        self.settings = Settings(database_host="127.0.0.1", database_port=postgres.port, group=os.getgid(), **US)
        self.secrets = folder / "airflow"
        set_up(folder, self.settings)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command with its output."""
        return subprocess.run(words, env=self._environment(), capture_output=True, text=True, timeout=300, check=False)

    def databases(self, *options: str) -> subprocess.CompletedProcess[str]:
        """`nocturne server databases`."""
        command = (sys.executable, "-c", "from nocturne.cli.main import run; run()", "server", "databases")
        return self.run(*command, "--folder", str(self.secrets), "--password-file", str(self._postgres.password_file), *options)

    def users(self) -> list[tuple[str, str]]:
        """Name and hash of Airflow's users who have the role Admin."""
        query = (
            "SELECT username, password FROM ab_user JOIN ab_user_role ON user_id = ab_user.id JOIN ab_role ON role_id = ab_role.id "
            "WHERE name = 'Admin'"
        )
        with psycopg.connect((self.secrets / "database_url").read_text().replace("+psycopg", "")) as connection:
            return connection.execute(query).fetchall()

    def _environment(self) -> dict[str, str]:
        def cat(name: str) -> str:
            return f"cat {self.secrets / name}"

        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[3] / "plugins"),
            "AIRFLOW_HOME": str(self.folder / "home"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "AIRFLOW__CORE__FERNET_KEY_CMD": cat("fernet_key"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": cat("database_url"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC_CMD": cat("database_url"),
            "AIRFLOW__API__SECRET_KEY_CMD": cat("api_secret"),
            "AIRFLOW__API_AUTH__JWT_SECRET_CMD": cat("jwt_secret"),
            "AIRFLOW__SECRETS__BACKEND": BACKEND,
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(self.secrets / "connections.json")}),
        }


def test_from_an_empty_server_to_an_administrator(postgres: Postgres, tmp_path: Path) -> None:
    """The first start makes all; the next finds nothing to do; one after a rotation changes the password. None tells a secret."""
    stack = Stack(tmp_path, postgres)
    first = stack.databases()
    assert first.returncode == 0, first.stderr
    assert "made the user admin" in first.stderr
    (name, before) = stack.users()[0]
    assert name == "admin"
    assert check_password_hash(before, (stack.secrets / "admin_password").read_text())

    second = stack.databases()
    assert second.returncode == 0, second.stderr
    assert second.stdout.endswith("the databases are up to date\n")
    assert not [line for line in second.stderr.splitlines() if line.startswith(("made", "changed", "bringing"))]
    assert stack.users() == [("admin", before)]

    for secret in ("admin_password", "airflow_database", "ledger_database"):
        rotate(tmp_path, stack.settings, secret)
    third = stack.databases()
    assert third.returncode == 0, third.stderr
    assert "changed the password of the user admin" in third.stderr
    (_, after) = stack.users()[0]
    assert check_password_hash(after, (stack.secrets / "admin_password").read_text())

    found = stack.run(sys.executable, "-c", "from nocturne.cli.workplace import connection as c; print(c('nocturne_airflow').host)")
    assert found.stdout.splitlines()[-1:] == ["api-server"], found.stderr

    secrets = [file.read_text() for file in stack.secrets.iterdir() if file.name != "connections.json"]
    told = "".join(run.stdout + run.stderr for run in (first, second, third)) + postgres.log.read_text()
    assert not [secret for secret in secrets if secret in told]


def test_a_wrong_password_of_the_superuser(postgres: Postgres, tmp_path: Path) -> None:
    """It is exit code 4 and a sentence, before anything is made."""
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    found = Stack(tmp_path / "secrets", postgres).databases("--password-file", str(wrong))
    assert found.returncode == 4
    assert "password authentication failed" in found.stderr
    assert "Traceback" not in found.stderr


def test_airflow_that_is_set_to_another_database(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables in a database that nobody prepared would be found missing much later, so it is exit code 2."""
    stack = Stack(tmp_path, postgres)
    others = {**stack._environment(), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db"}
    monkeypatch.setattr(stack, "_environment", lambda: others)
    found = stack.databases()
    assert found.returncode == 2, found.stderr
    assert "another database than the one that was prepared" in found.stderr
