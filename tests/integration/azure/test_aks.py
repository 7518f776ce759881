"""From an Airflow connection of type `azure` into a real cluster."""

import asyncio
import copy
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nocturne.adapters.azure import aks_access
from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.ports.connections import Connection
from tests.integration.azure.azure_server import AzureServer
from tests.integration.kubernetes.admin import Admin
from tests.integration.kubernetes.conftest import kubeconfig

__all__ = ["kubeconfig"]
pytestmark = pytest.mark.kubernetes

SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
ACCOUNT = "release"
READING = {
    "roles": {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}], "metadata": {"name": ACCOUNT}},
    "rolebindings": {
        "metadata": {"name": ACCOUNT},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT}],
    },
}


@pytest.fixture
def admin(kubeconfig: str) -> Iterator[Admin]:
    """The administrator in a namespace with one ConfigMap, and an account that may list them."""
    within = Admin(kubeconfig).make_namespace("nt-azure-")
    within.create("configmaps", {"metadata": {"name": "found"}})
    within.create("serviceaccounts", {"metadata": {"name": ACCOUNT}})
    for plural, item in READING.items():
        within.create(plural, item)
    yield within
    within.remove_namespace()


@pytest.fixture
def content(kubeconfig: str) -> dict[str, Any]:
    """The real cluster's kubeconfig."""
    found: dict[str, Any] = yaml.safe_load(Path(kubeconfig).read_text())
    return found


def with_entra(content: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    """The same cluster with Entra ID: its user is one that this machine cannot be by itself."""
    changed = copy.deepcopy(content)
    for entry in changed["users"]:
        entry["user"] = user
    return changed


def kubelogin(server: str) -> dict[str, Any]:
    arguments = ["get-token", "--environment", "AzurePublicCloud", "--server-id", server, "--login", "devicecode"]
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": arguments}}


def config_maps(access: Access, namespace: str) -> set[str]:
    """The ConfigMaps that this access gets to see."""

    async def listed() -> set[str]:
        async with KubernetesApi(access, namespace) as api:
            return {item["metadata"]["name"] for item in (await api.list("ConfigMap")).items}

    return asyncio.run(listed())


def test_local_accounts_open_the_cluster(azure: AzureServer, principal: Connection, admin: Admin, content: dict[str, Any]):
    """The kubeconfig that Resource Manager hands out is enough by itself."""
    azure.kubeconfig = content
    found, token = aks_access(principal)
    assert token is None
    assert "found" in config_maps(Access(found), admin.namespace)
    assert "format=exec" in azure.asked[0]


@pytest.mark.parametrize(
    ("user", "server"),
    [
        (kubelogin(SERVER), SERVER),
        (kubelogin("an-app-of-the-tenant"), "an-app-of-the-tenant"),
        ({"auth-provider": {"name": "azure", "config": {"apiserver-id": SERVER, "tenant-id": "t"}}}, SERVER),
    ],
)
def test_entra_id_opens_the_cluster_without_kubelogin(
    azure: AzureServer, principal: Connection, admin: Admin, content: dict[str, Any], user: dict[str, Any], server: str
):
    """The token is for the application that the kubeconfig names, and takes the plugin's place."""
    azure.kubeconfig = with_entra(content, user)
    azure.token = lambda scope: (admin.token(ACCOUNT) if scope.startswith(server) else scope, 3600)
    found, token = aks_access(principal)
    assert "found" in config_maps(Access(found, None, token), admin.namespace)
    assert f"{server}/.default" in azure.logins[-1]["scope"].split()


def test_a_token_that_ends_while_we_wait_is_replaced(
    azure: AzureServer, principal: Connection, admin: Admin, content: dict[str, Any]
):
    """The same access goes on after its first token is worth nothing any more."""
    admin.create("secrets", {"metadata": {"name": "first"}}, {"metadata": {"name": "second"}})
    given: list[str] = []

    def token(scope: str) -> tuple[str, int]:
        if SERVER not in scope:
            return scope, 3600
        given.append(admin.token(ACCOUNT, bound_to="second" if given else "first"))
        # azure-identity renews what has less than five minutes left: the first has, after two seconds.
        return given[-1], 3600 if len(given) > 1 else 302

    azure.kubeconfig, azure.token = with_entra(content, kubelogin(SERVER)), token
    found, current = aks_access(principal)
    access = Access(found, None, current)
    assert "found" in config_maps(access, admin.namespace)
    assert len(given) == 1
    admin.delete("secrets", "first")
    wait_until_refused(Access(found, None, lambda: given[0]), admin.namespace)
    assert "found" in config_maps(access, admin.namespace)
    assert len(given) == 2


def wait_until_refused(access: Access, namespace: str) -> None:
    """The API server keeps what it thinks of a token for ten seconds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            config_maps(access, namespace)
        except Broken:
            return
        time.sleep(0.5)
    pytest.fail("the first token is still good")


def test_a_missing_role_is_named(azure: AzureServer, principal: Connection):
    """An operator reads which role is lacking, and on what."""
    text = "The client 'x' does not have authorization to perform action 'listClusterUserCredential/action'."
    azure.refuse = lambda path: (403, {"error": {"code": "AuthorizationFailed", "message": text}})
    with pytest.raises(Broken, match="does not have authorization") as error:
        aks_access(principal)
    assert "'Azure Kubernetes Service Cluster User Role'" in error.value.advice


def test_a_cluster_that_does_not_exist_is_the_connections_fault(azure: AzureServer, principal: Connection):
    """The message has the name that was not found."""
    with pytest.raises(ConfigurationError, match=r"other-aks.*was not found"):
        aks_access(replace(principal, extra=principal.extra | {"cluster": "other-aks"}))


def test_an_azure_that_is_overloaded_is_broken(azure: AzureServer, principal: Connection):
    """It was asked again a few times before."""
    azure.refuse = lambda path: (503, {"error": {"code": "ServerBusy", "message": "try later"}})
    with pytest.raises(Broken, match=r"503: .*try later"):
        aks_access(principal)
    assert len(azure.asked) == 4


def test_every_fault_is_told_at_once(azure: AzureServer):
    """Login, place and addresses are checked together, before anything is sent."""
    extra = {"authority": "http://login.test", "cloud_environment": "AzureMoon", "resource_group": "g"}
    with pytest.raises(ConfigurationError) as error:
        aks_access(Connection("azure_test", "azure", login="client", extra=extra))
    named = ("password", "tenantId", "extra.subscriptionId", "extra.cluster", "extra.authority", "extra.cloud_environment")
    assert [name for name in named if name not in str(error.value)] == []
    assert azure.logins == []
