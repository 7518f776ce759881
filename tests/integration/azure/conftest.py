from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nocturne.ports.connections import Connection
from tests.integration.azure.azure_server import CLIENT, CLUSTER, GROUP, SECRET, SUBSCRIPTION, TENANT, AzureServer, azure_server

# What a developer's machine, or a worker in Azure, may have set: nothing of it may help a test.
_AMBIENT = (
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "AZURE_USERNAME",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
)


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> None:
    """Unlike its namesake for other systems: no container engine is needed here."""


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureServer]:
    """An Azure whose certificate is trusted as an operator would have it: by the variables that Python's libraries read."""
    for name in _AMBIENT:
        monkeypatch.delenv(name, raising=False)
    with azure_server(tmp_path) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        yield server


@pytest.fixture
def principal(azure: AzureServer) -> Connection:
    """A connection with a service principal, as Airflow's form makes it."""
    return connection(azure, login=CLIENT, password=SECRET, tenantId=TENANT)


def connection(azure: AzureServer, *, login: str = "", password: str = "", **extra: Any) -> Connection:
    """A connection to the cluster, with these fields."""
    place = {"subscriptionId": SUBSCRIPTION, "resource_group": GROUP, "cluster": CLUSTER}
    where = {"authority": azure.url, "arm_url": azure.url}
    return Connection("azure_test", "azure", login=login, password=password, extra=where | place | extra)
