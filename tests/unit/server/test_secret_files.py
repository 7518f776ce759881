import base64
import json

import pytest
from airflow.secrets.local_filesystem import _create_connection
from sqlalchemy import make_url

from nocturne.domain.errors import ConfigurationError
from nocturne.server.connections import connections
from nocturne.server.secret_files import secret_files
from nocturne.server.server_secrets import Secrets, SecretStore
from nocturne.server.settings import Settings


@pytest.fixture
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    return SecretStore(tmp_path_factory.mktemp("all")).load_or_make()[0]


def test_keys_have_the_form_that_their_users_expect(secrets: Secrets) -> None:
    """Azure's account key is base64 of 64 bytes, a Fernet key of 32, and what stands in URLs needs no quoting."""
    assert len(base64.b64decode(secrets.blob, validate=True)) == 64
    assert len(base64.urlsafe_b64decode(secrets.fernet)) == 32
    assert all(text.isalnum() for text in (secrets.redis, secrets.airflow_database, secrets.ledger_database, secrets.postgres))


def test_each_database_has_a_role_of_its_own(secrets: Secrets) -> None:
    """Airflow's URL and the ledger's share the server and neither role, database nor password."""
    files = {file.path: file.content for file in secret_files(Settings(), secrets)}
    airflow = make_url(files["airflow/database_url"])
    ledger = make_url(json.loads(files["airflow/connections.json"])["nocturne_ledger"]["extra"]["url"])
    assert (airflow.drivername, airflow.username, airflow.host, airflow.port, airflow.database) == (
        "postgresql+psycopg",
        "airflow",
        "postgres",
        5432,
        "airflow",
    )
    assert (ledger.username, ledger.database, ledger.host) == ("nocturne", "nocturne", "postgres")
    assert airflow.password != ledger.password
    assert files["airflow/result_backend"] == f"db+{files['airflow/database_url']}"


def test_a_managed_database(secrets: Secrets) -> None:
    """Host, port and the way of encryption come from variables, into both URLs."""
    variables = {
        "NOCTURNE_DATABASE_HOST": "db.example.org",
        "NOCTURNE_DATABASE_PORT": "6432",
        "NOCTURNE_DATABASE_OPTIONS": "sslmode=verify-full&sslrootcert=system",
    }
    found = connections(Settings.from_environment(variables), secrets)["nocturne_ledger"]["extra"]["url"]
    url = make_url(found)
    assert (url.host, url.port, dict(url.query)) == ("db.example.org", 6432, {"sslmode": "verify-full", "sslrootcert": "system"})


def test_connections_are_what_airflow_takes(secrets: Secrets) -> None:
    """Airflow's own reader takes each, with and without the local cloud."""
    for settings in (Settings(), Settings(local_cloud=True)):
        for name, value in connections(settings, secrets).items():
            made = _create_connection(name, dict(value))
            assert made.conn_id == name
            assert made.extra_dejson == value.get("extra", {})


def test_the_local_cloud_comes_only_when_it_is_wanted(secrets: Secrets) -> None:
    """Without it, stores and targets are the operator's own connections, which ours must not hide."""
    assert set(connections(Settings(), secrets)) == {"nocturne_ledger", "nocturne_airflow", "nocturne_engine", "nocturne_code"}
    local = connections(Settings.from_environment({"NOCTURNE_PROFILES": "celery,local-cloud", "NOCTURNE_NAME": "two"}), secrets)
    assert set(local) - set(connections(Settings(), secrets)) == {"nocturne_models", "nocturne_registry", "nocturne_sandbox"}
    assert local["nocturne_sandbox"]["extra"]["service"] == "two-app"


def test_every_fault_of_the_environment_is_told_at_once() -> None:
    """A port and a user that are no numbers are one error with two lines."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({"NOCTURNE_REGISTRY_PORT": "many", "NOCTURNE_POSTGRES_USER": "-1", "NOCTURNE_CODE": ""})
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["NOCTURNE_REGISTRY_PORT", "NOCTURNE_POSTGRES_USER"]
