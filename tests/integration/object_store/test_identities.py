"""Azure Blob Storage with the tokens of an identity: a server answers as Entra ID does, and the real Azurite checks the tokens.

Azurite looks at a token's issuer, audience and times, over TLS only (`--oauth basic`); the proxy before it speaks TLS in the
client's place. Source: https://learn.microsoft.com/azure/storage/common/storage-install-azurite#oauth-configuration
"""

import base64
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nocturne.adapters.object_store import connect
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.composition.stores import store_settings
from nocturne.domain.errors import Broken
from nocturne.ports.connections import Connection
from tests.azurite import ACCOUNT, START_SECONDS, install
from tests.certificates import tls_context
from tests.integration.azure.azure_server import CLIENT, FEDERATED, SECRET, TENANT, AzureServer, azure_server
from tests.integration.azure.conftest import azure
from tests.integration.object_store.proxy import Network, network

__all__ = ["azure"]

AUDIENCE = "https://storage.azure.com"
_LISTENS = re.compile(r"successfully listens on (https://[0-9.]+:[0-9]+)")


def jwt(scope: str, seconds: int = 3600, **claims: Any) -> tuple[str, int]:
    """A token as Entra ID makes them, but for its signature."""
    now = int(time.time())
    said = {
        "iss": f"https://sts.windows.net/{TENANT}/",
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now - 60,
        "exp": now + seconds,
    } | claims
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, said)]
    return ".".join([*parts, "c2lnbmF0dXJl"]), seconds


@pytest.fixture(scope="module")
def careful_azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an Azurite that takes tokens."""
    folder = tmp_path_factory.mktemp("careful-azurite")
    tls_context(folder)
    certificate = ["--cert", folder / "ca.pem", "--key", folder / "server.pem", "--oauth", "basic"]
    command = ["node", install(), "--blobPort", "0", "--location", folder, "--disableTelemetry", "--silent", *certificate]
    log = folder / "azurite.log"
    key = base64.b64encode(os.urandom(64)).decode()
    with log.open("wb") as output:
        environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + START_SECONDS
    while not (found := _LISTENS.search(log.read_text())):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"Azurite did not start:\n{log.read_text()}")
        time.sleep(0.05)
    yield found[1]
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def between(careful_azurite: str) -> Iterator[Network]:
    with network(careful_azurite) as made:
        yield made


def wasb(between: Network, azure: AzureServer, login: str = "", password: str = "", **extra: str) -> Connection:
    """A connection as the provider's form makes it."""
    fields = {"container": "models", "authority": azure.url} | extra
    return Connection("models", "wasb", f"{between.url}/{ACCOUNT}", login=login, password=password, extra=fields)


def opened(connection: Connection) -> Blobs:
    """The store, with a retry or two. Its container is missing, which only who is let in gets to know."""
    return Blobs(connect(store_settings(connection)))


def test_a_service_principal_is_let_in(between: Network, azure: AzureServer) -> None:
    """Client id, secret and tenant get a token for storage, and the store accepts it."""
    azure.token = jwt
    blobs = opened(wasb(between, azure, CLIENT, SECRET, tenant_id=TENANT))
    with pytest.raises(Broken, match="the container does not exist"):
        blobs.folders("digits")
    (login,) = azure.logins
    assert (login["client_id"], login["scope"], login["tenant"]) == (CLIENT, f"{AUDIENCE}/.default", TENANT)
    assert between.seen[0].headers["authorization"].startswith("Bearer ey")


def test_a_workload_identity_is_let_in(
    between: Network, azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the webhook of AKS puts into a pod is enough; the connection has no secret."""
    azure.token = jwt
    (tmp_path / "token").write_text(FEDERATED)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.url)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    blobs = opened(wasb(between, azure, ACCOUNT, managed_identity_client_id=CLIENT, workload_identity_tenant_id=TENANT))
    with pytest.raises(Broken, match="the container does not exist"):
        blobs.folders("digits")
    assert azure.logins[0]["client_assertion"] == FEDERATED


def test_a_managed_identity_is_let_in(
    between: Network, azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual machine's identity is named by its client id, and asked for a token for storage."""
    with azure_server(tmp_path, tls=False) as machine:
        machine.token = jwt
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", machine.url)
        blobs = opened(wasb(between, azure, ACCOUNT, managed_identity_client_id=CLIENT))
        with pytest.raises(Broken, match="the container does not exist"):
            blobs.folders("digits")
    assert {login.get("resource") for login in machine.logins} == {AUDIENCE}


def test_a_token_is_renewed_while_a_download_runs(between: Network, azure: AzureServer) -> None:
    """An identity whose token is about to end is asked for another one before the next request."""
    azure.token = lambda scope: jwt(scope, 200, number=len(azure.logins))
    blobs = opened(wasb(between, azure, CLIENT, SECRET, tenant_id=TENANT))
    for _ in range(2):
        with pytest.raises(Broken, match="the container does not exist"):
            blobs.folders("digits")
        time.sleep(0.2)
    assert len({seen.headers["authorization"] for seen in between.seen}) == 2


def test_a_wrong_secret_is_called_one(between: Network, azure: AzureServer) -> None:
    """What Entra ID says of the login is passed on, before anything is asked of the store."""
    blobs = opened(wasb(between, azure, CLIENT, "guessed-secret", tenant_id=TENANT))
    with pytest.raises(
        Broken, match=r"no credentials: the connection models has 1 fault: .*does not accept the client secret"
    ) as raised:
        blobs.folders("digits")
    assert "guessed-secret" not in f"{raised.value}{raised.value.__cause__}"
    assert between.seen == []


def test_a_token_of_another_audience_is_refused(between: Network, azure: AzureServer) -> None:
    """A store that does not take an identity's token says so."""
    azure.token = lambda scope: jwt(scope, aud="https://management.azure.com")
    blobs = opened(wasb(between, azure, CLIENT, SECRET, tenant_id=TENANT))
    with pytest.raises(Broken, match=r"the identity's token is not accepted|the credentials were refused"):
        blobs.folders("digits")
