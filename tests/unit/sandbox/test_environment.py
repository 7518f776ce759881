import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nocturne.sandbox.environment import environment, inherited_environment, write_environment
from nocturne.sandbox.secret_file import load_or_make
from nocturne.sandbox.settings import Settings


def connection(settings: Settings, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(environment(settings)[f"AIRFLOW_CONN_NOCTURNE_{name}"])
    return found


def test_all_connections_are_there(settings: Settings) -> None:
    """Nocturne's seven connections are all that is needed, and each names its type."""
    names = ("CODE", "MODELS", "REGISTRY", "ENGINE", "SANDBOX", "LEDGER", "AIRFLOW")
    assert all(connection(settings, name)["conn_type"] for name in names)


def test_connections_follow_the_ports(settings: Settings) -> None:
    """Addresses in connections are those that the parts listen on."""
    assert connection(settings, "MODELS")["host"] == "http://127.0.0.1:10000/nocturne"
    assert connection(settings, "REGISTRY")["port"] == 5000
    assert connection(settings, "SANDBOX")["extra"]["public_url"] == "http://localhost:8088"


def test_connections_can_be_read_by_airflow(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow itself reads the JSON form back, password and extra included."""
    from airflow.sdk import Connection

    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_MODELS", environment(settings)["AIRFLOW_CONN_NOCTURNE_MODELS"])
    found = Connection.from_json(os.environ["AIRFLOW_CONN_NOCTURNE_MODELS"], conn_id="nocturne_models")
    assert found.password == load_or_make(settings.home).blob_key
    assert found.extra_dejson == {"container": "models"}


def test_on_kubernetes_releases_have_their_own_way_in(tmp_path: Path) -> None:
    """The connection names the kubeconfig with the releases' token, the namespace and the API server's host; the night is told to
    ship there, and nothing of the administrator's is in the environment.
    """
    admin = tmp_path / "admin.conf"
    cluster = {"name": "c", "cluster": {"server": "https://10.0.0.7:6443"}}
    contexts = [{"name": "x", "context": {"cluster": "c"}}]
    admin.write_text(json.dumps({"clusters": [cluster], "contexts": contexts, "current-context": "x"}))
    variables = {
        "NOCTURNE_TARGET": "kubernetes",
        "KUBECONFIG": str(admin),
        "NOCTURNE_HOME": str(tmp_path),
        "NOCTURNE_NAME": "trial",
    }
    settings = Settings.from_environment(variables)
    found = environment(settings)
    assert found["NOCTURNE_ENVIRONMENT"] == "kubernetes"
    assert connection(settings, "KUBERNETES")["extra"] == {
        "kube_config_path": str(tmp_path / "kubeconfig.json"),
        "namespace": "trial",
        "node_address": "10.0.0.7",
    }
    assert str(admin) not in str(found)
    assert "AIRFLOW_CONN_NOCTURNE_SANDBOX" not in found


def test_a_shell_reads_the_files_back(settings: Settings) -> None:
    """Sourcing the files gives a shell the same variables, quotes and all, and only their owner may read them."""
    write_environment(settings)
    for name in ("connections.env", "airflow.env"):
        file = settings.home / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        shell = subprocess.run(["sh", "-c", f"set -a; . {file}; env -0"], capture_output=True, text=True, check=True, env={})
        read = dict(entry.split("=", 1) for entry in shell.stdout.split("\0") if entry)
        expected = environment(settings)
        assert {key: expected[key] for key in read if key.startswith("AIRFLOW")} == {
            key: value for key, value in read.items() if key.startswith("AIRFLOW")
        }


def test_another_sandbox_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of another sandbox or of another Airflow in the calling shell do not get through."""
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "theirs")
    monkeypatch.setenv("NOCTURNE_HOME", "/theirs")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    stopped = {"AIRFLOW__CORE__FERNET_KEY", "NOCTURNE_HOME", "PYTHONDONTWRITEBYTECODE", "KUBECONFIG"}
    assert not stopped & set(inherited_environment())
