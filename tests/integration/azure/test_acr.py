"""Signing in to a registry with an identity of Entra ID, and pushing through it to a real registry."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nocturne.adapters.azure import RegistrySignIn
from nocturne.adapters.oci_registry import Credentials, OciRegistry
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.ports.connections import Connection
from nocturne.ports.image_registry import AppendRequest, LayerFile
from tests.integration.azure.azure_server import TENANT, AzureServer
from tests.integration.oci_registry.guarded_registry import guarded_registry
from tests.integration.oci_registry.local_registry import LocalRegistry
from tests.integration.oci_registry.token_authority import NULL_GUID, SERVICE, TokenAuthority

ENTRA = "token for https://containerregistry.azure.net/.default"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[TokenAuthority, LocalRegistry]]:
    """A registry and its `/oauth2`, which in Azure are one host."""
    with guarded_registry(tmp_path) as (server, registry):
        # As in Azure, only the token itself says when it ends.
        server.told = None
        server.entra[ENTRA] = "principal"
        server.rights["principal"] = {"base": "pull", "app": "pull,push"}
        yield server, registry


@pytest.fixture
def acr(both: tuple[TokenAuthority, LocalRegistry]) -> TokenAuthority:
    return both[0]


@pytest.fixture
def registry(both: tuple[TokenAuthority, LocalRegistry]) -> LocalRegistry:
    return both[1]


def test_an_identity_pushes_without_a_password(
    azure: AzureServer, principal: Connection, acr: TokenAuthority, registry: LocalRegistry
):
    """Entra ID's token is exchanged once, and what the registry gives for it opens the repositories alone."""
    sign_in = RegistrySignIn(principal, acr.url, SERVICE)
    adapter = OciRegistry(registry.url, registry.host, lambda: Credentials(*sign_in(), refresh_token=True))
    layer = (LayerFile("/model/model.onnx", b"weights"),)
    appended = adapter.append(AppendRequest("base:base", "app", (layer,), {}, {}, ("v1",), "2026-11-20T02:00:00Z"))
    assert adapter.digest("app:v1") == appended.image.removeprefix("app@")
    assert (acr.exchanges, acr.basics) == (1, 0)
    assert sorted(scope for scopes in acr.scopes for scope in scopes) == [
        "repository:app:pull,push",
        "repository:base:pull",
        "repository:base:pull",
    ]
    assert [login["scope"].split()[0] for login in azure.logins] == ["https://containerregistry.azure.net/.default"]


def test_the_login_serves_docker_as_it_is(principal: Connection, acr: TokenAuthority, registry: LocalRegistry):
    """Container engines send the same two as user and password."""
    login = RegistrySignIn(principal, acr.url, SERVICE)()
    assert login.username == NULL_GUID
    assert OciRegistry(registry.url, registry.host, Credentials(*login)).digest("base:base")
    assert acr.basics == 1
    assert login.password not in repr(login)


def test_a_refresh_token_is_renewed_before_it_ends(principal: Connection, acr: TokenAuthority):
    """It is used for all but the last five minutes of its life, or the last fifth of a short one."""
    now = [1000.0]
    sign_in = RegistrySignIn(principal, acr.url, SERVICE, now=lambda: now[0])
    first = sign_in()
    now[0] += 3600 - 301
    assert sign_in() is first
    now[0] += 2
    assert sign_in() is not first
    assert acr.exchanges == 2


def test_an_identity_without_a_role_is_told_which(azure: AzureServer, principal: Connection, acr: TokenAuthority):
    """The registry knows nobody by this token."""
    acr.entra.clear()
    with pytest.raises(Broken, match=r"registry.tests answers 401 to the identity of azure_test.*authentication required") as error:
        RegistrySignIn(principal, acr.url, SERVICE)()
    assert "AcrPush" in error.value.advice
    assert ENTRA not in str(error.value)


def test_the_registry_learns_the_tenant_when_it_is_known(principal: Connection, acr: TokenAuthority):
    """An identity of another tenant than the registry's is told apart by it."""
    seen: list[dict[str, list[str]]] = []
    exchange = acr.exchange
    acr.exchange = lambda form: (seen.append(form), exchange(form))[1]  # type: ignore[method-assign]
    RegistrySignIn(principal, acr.url, SERVICE)()
    assert seen[0]["tenant"] == [TENANT]


def test_no_token_goes_out_in_the_clear(principal: Connection):
    """A registry on another machine has to have TLS."""
    with pytest.raises(Broken, match="in the clear"):
        RegistrySignIn(principal, "http://registry.test", "registry.test")


def test_a_registry_out_of_reach_is_broken(principal: Connection):
    """The message has the registry's name."""
    with pytest.raises(Broken, match=r"digits\.azurecr\.io cannot be reached"):
        RegistrySignIn(principal, "https://localhost:9", "digits.azurecr.io")()


def test_a_wrong_secret_stops_before_the_registry(principal: Connection, acr: TokenAuthority):
    """Entra ID's refusal is the message, not the registry's."""
    with pytest.raises(ConfigurationError, match="does not accept the client secret"):
        RegistrySignIn(replace(principal, password="wrong"), acr.url, SERVICE)()
    assert acr.exchanges == 0
