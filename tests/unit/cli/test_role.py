import json
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.test_commands import call

DEPLOYED = Path(__file__).parents[3] / "app" / "release.toml"


@pytest.fixture(autouse=True)
def connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment on Kubernetes, in a namespace, and a registry with a login."""
    monkeypatch.setenv("NOCTURNE_HOME", str(tmp_path))
    monkeypatch.setenv("NOCTURNE_RELEASE_FILE", str(DEPLOYED))
    connect(monkeypatch, "kubernetes", conn_type="kubernetes", extra={"namespace": "digits"})
    connect(monkeypatch, "registry", conn_type="docker", host="registry.example.org", login="robot", password="secret")


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **fields: object) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_NOCTURNE_{name.upper()}", json.dumps(fields))


def secrets_allowed(text: str) -> bool:
    role = next(document for document in yaml.safe_load_all(text) if document["kind"] == "Role")
    return any("secrets" in rule["resources"] for rule in role["rules"])


def test_the_role_is_for_the_environments_namespace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed can be applied as it is: three objects of the given name, in the connection's namespace."""
    code, out, err = call(monkeypatch, capsys, "role", "kubernetes", "--service-account", "robot")
    assert (code, err) == (0, "")
    found = [(item["kind"], item["metadata"]["name"], item["metadata"]["namespace"]) for item in yaml.safe_load_all(out)]
    assert found == [(kind, "robot", "digits") for kind in ("ServiceAccount", "Role", "RoleBinding")]


def test_secrets_only_where_a_release_brings_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The Role includes secrets only with a pull secret that is made from the registry's login."""
    assert not secrets_allowed(call(monkeypatch, capsys, "role", "kubernetes")[1])
    connect(monkeypatch, "kubernetes", conn_type="kubernetes", extra={"pull_secret": "registry"})
    assert secrets_allowed(call(monkeypatch, capsys, "role", "kubernetes")[1])
    connect(monkeypatch, "registry", conn_type="docker", host="registry.example.org")
    assert not secrets_allowed(call(monkeypatch, capsys, "role", "kubernetes")[1])


def test_before_there_is_a_connection(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The Role can be printed before the connection is made, which needs its account; the namespace is then an option."""
    monkeypatch.delenv("AIRFLOW_CONN_NOCTURNE_KUBERNETES")
    monkeypatch.setattr("nocturne.composition.ConnectedWorld.connected", lambda world, environment: False)
    out = call(monkeypatch, capsys, "role", "kubernetes", "--namespace", "shop")[1]
    assert {item["metadata"]["namespace"] for item in yaml.safe_load_all(out)} == {"shop"}


def test_nothing_says_which_namespace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a connection and an option it is `default`, and that is said beside what is to be applied."""
    monkeypatch.delenv("AIRFLOW_CONN_NOCTURNE_KUBERNETES")
    _, out, err = call(monkeypatch, capsys, "role", "kubernetes")
    assert {item["metadata"]["namespace"] for item in yaml.safe_load_all(out)} == {"default"}
    assert err == "found no connection nocturne_kubernetes: this is for the namespace default; --namespace names another\n"


def test_an_environment_without_roles(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An environment on another target is a fault that says so."""
    code, _, err = call(monkeypatch, capsys, "role", "sandbox")
    assert code == 2
    assert "environments.sandbox.target: found 'swarm', expected 'kubernetes'" in err
