"""Who we are to Azure, by every way that a worker may have."""

from dataclasses import replace
from pathlib import Path

import pytest

from nocturne.adapters.azure.identity import Identity
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.ports.connections import Connection
from tests.integration.azure.azure_server import CLIENT, FEDERATED, SECRET, TENANT, AzureServer, azure_server
from tests.integration.azure.conftest import connection

SCOPE = "https://management.azure.com/.default"


def test_a_service_principal_gets_a_token_and_keeps_it(azure: AzureServer, principal: Connection):
    """Client id and secret go to the tenant's own token endpoint, once for as long as the token lives."""
    identity = Identity(principal)
    assert [identity.token(SCOPE), identity.token(SCOPE)] == [f"token for {SCOPE}"] * 2
    (login,) = azure.logins
    assert (login["grant_type"], login["client_id"], login["client_secret"]) == ("client_credentials", CLIENT, SECRET)


def test_a_workload_identity_shows_its_service_account_token(azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the webhook of AKS puts into a pod is enough, but for the tenant that the connection names; it has no secret."""
    (tmp_path / "token").write_text(FEDERATED)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.url)
    monkeypatch.setenv("AZURE_TENANT_ID", "44444444-4444-4444-4444-444444444444")
    named = connection(azure, managed_identity_client_id=CLIENT, workload_identity_tenant_id=TENANT)
    assert Identity(named).token(SCOPE) == f"token for {SCOPE}"
    (login,) = azure.logins
    assert (login["tenant"], login["client_id"], login["client_assertion"]) == (TENANT, CLIENT, FEDERATED)


def test_a_managed_identity_is_asked_for_by_its_client_id(azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A virtual machine may have several identities; the connection says which."""
    with azure_server(tmp_path, tls=False) as machine:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", machine.url)
        token = Identity(connection(azure, managed_identity_client_id=CLIENT)).token(SCOPE)
    assert token == "token for https://management.azure.com"
    assert {login["client_id"] for login in machine.logins} == {CLIENT}


def test_a_wrong_secret_is_called_one(principal: Connection):
    """The connection is to blame, its password is named, and neither the secret nor Azure's noise is in the message."""
    with pytest.raises(ConfigurationError, match="azure_test") as error:
        Identity(replace(principal, password="guessed-secret")).token(SCOPE)
    assert "does not accept the client secret" in str(error.value)
    assert "guessed-secret" not in str(error.value)
    assert "Correlation" not in str(error.value)


def test_an_authority_out_of_reach_is_broken(principal: Connection):
    """Nothing is wrong with the connection when nobody answers."""
    nowhere = replace(principal, extra=principal.extra | {"authority": "https://localhost:9"})
    with pytest.raises(Broken, match="could not log in to Entra ID") as error:
        Identity(nowhere).token(SCOPE)
    assert "firewall" in error.value.advice


def test_an_unknown_certificate_is_broken(principal: Connection, monkeypatch: pytest.MonkeyPatch):
    """The secret does not go to a server that cannot prove who it is."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Broken, match=r"could not log in.*(?:certificate|CERTIFICATE)") as error:
        Identity(principal).token(SCOPE)
    assert SECRET not in str(error.value)
