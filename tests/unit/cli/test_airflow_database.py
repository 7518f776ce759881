"""Connections in Airflow's own database, as a command in a process of its own finds them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nocturne.cli import airflow_database
from nocturne.cli.airflow_database import exists

PLUGINS = Path(__file__).parents[3] / "plugins"
AIRFLOW = ("-m", "airflow")
NOCTURNE = ("-c", "from nocturne.cli.main import run; run()")
NAMESPACE = '{"conn_type": "kubernetes", "password": "hidden", "extra": {"namespace": "digits"}}'


def called(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A program with `home` as its AIRFLOW_HOME, and with nothing of ours from this process' environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW", "NOCTURNE"))}
    own = {"AIRFLOW_HOME": str(home), "NOCTURNE_HOME": str(home / "nocturne"), "PYTHONPATH": str(PLUGINS)}
    command = [sys.executable, *words]
    return subprocess.run(command, env={**kept, **own, **variables}, check=False, capture_output=True, text=True)


def namespaces(told: subprocess.CompletedProcess[str]) -> set[str]:
    assert told.returncode == 0, told.stderr
    return {item["metadata"]["namespace"] for item in yaml.safe_load_all(told.stdout)}


def test_a_connection_that_airflows_command_added(tmp_path: Path) -> None:
    """What `airflow connections add` put into the database is found there."""
    for words in (["db", "migrate"], ["connections", "add", "nocturne_kubernetes", "--conn-json", NAMESPACE]):
        done = called(tmp_path, *AIRFLOW, *words, AIRFLOW__CORE__LOAD_EXAMPLES="False")
        assert done.returncode == 0, done.stderr
    assert namespaces(called(tmp_path, *NOCTURNE, "role", "kubernetes")) == {"digits"}


def test_no_database(tmp_path: Path) -> None:
    """Where Airflow has none, none is made: the connection is not there, and the command says what to do."""
    told = called(tmp_path, *NOCTURNE, "models", "list")
    assert (told.returncode, told.stdout) == (2, "")
    assert "found no connection 'nocturne_models': add it under Admin > Connections" in told.stderr
    assert "Traceback" not in told.stderr
    assert list(tmp_path.glob("airflow.db*")) == []


def test_variables_alone(tmp_path: Path) -> None:
    """A variable in any form of Airflow's is enough, and what Airflow logs about it is no part of the result."""
    told = called(tmp_path, *NOCTURNE, "role", "kubernetes", AIRFLOW_CONN_NOCTURNE_KUBERNETES="kubernetes://?namespace=shop")
    assert namespaces(told) == {"shop"}
    assert "too short" in told.stderr  # to be masked, which Airflow warns of
    assert list(tmp_path.glob("airflow.db*")) == []


@pytest.mark.parametrize(("there", "inside"), [(True, "server"), (False, None)])
def test_only_the_look_itself_is_one_of_airflows_own(there: bool, inside: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command starts afterwards does not take itself for a part of Airflow."""
    monkeypatch.delenv("_AIRFLOW_PROCESS_CONTEXT", raising=False)
    monkeypatch.setattr(airflow_database, "exists", lambda: there)
    with airflow_database.consulted():
        assert os.environ.get("_AIRFLOW_PROCESS_CONTEXT") == inside
    assert "_AIRFLOW_PROCESS_CONTEXT" not in os.environ


def test_a_process_that_airflow_has_named_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Airflow has said of the process stays."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")
    with airflow_database.consulted():
        assert os.environ["_AIRFLOW_PROCESS_CONTEXT"] == "client"
    assert os.environ["_AIRFLOW_PROCESS_CONTEXT"] == "client"


def test_a_server_that_keeps_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL makes no database by being asked: it is always consulted."""
    monkeypatch.setattr("airflow.settings.SQL_ALCHEMY_CONN", "postgresql+psycopg://airflow@postgres/airflow")
    assert exists()
