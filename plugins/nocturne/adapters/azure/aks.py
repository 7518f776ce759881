"""The way into a cluster of Azure Kubernetes Service, without kubelogin or az on the worker.

Source: https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from nocturne.adapters.azure.failures import brief, in_our_terms
from nocturne.adapters.azure.identity import Identity, field, identity_faults
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

# The application that stands for every AKS cluster with Entra ID:
# https://azure.github.io/kubelogin/concepts/aks.html#azure-kubernetes-service-aad-server
_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
_PLACE = ("subscriptionId", "resource_group", "cluster")
_ROLE = "Azure Kubernetes Service Cluster User Role"


class AksAccess(NamedTuple):
    """kubeconfig: one cluster, one context, one user. token: gives a bearer token that is valid now and takes the place of that
    user, for clusters with Entra ID; None where the kubeconfig's own user opens the cluster (local accounts)."""

    kubeconfig: dict[str, Any]
    token: Callable[[], str] | None

    def __repr__(self) -> str:
        return "AksAccess(with Entra ID)" if self.token else "AksAccess(with a local account)"


def aks_access(connection: Connection) -> AksAccess:
    """The way into the cluster that a connection names: extra.subscriptionId, extra.resource_group, extra.cluster.

    Raises ConfigurationError with every fault of the connection, Broken when Azure is away or does not let us.
    """
    subscription, group, cluster = (field(connection, name) for name in _PLACE)
    faults = identity_faults(connection)
    faults += [f"extra.{name}: found nothing, expected a text" for name in _PLACE if not field(connection, name)]
    if faults:
        raise ConfigurationError(f"the connection {connection.id}", faults)
    identity = Identity(connection)
    kubeconfig = _read(_user_credentials(identity, subscription, group, cluster), cluster)
    server = _entra_server(kubeconfig)
    return AksAccess(kubeconfig, partial(identity.token, f"{server}/.default") if server else None)


def _user_credentials(identity: Identity, subscription: str, group: str, cluster: str) -> bytes:
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
    from azure.mgmt.containerservice import ContainerServiceClient

    doing = f"get the credentials of the cluster {cluster!r}"
    arm = identity.cloud.arm_url
    with in_our_terms(identity.connection_id, doing):
        client = ContainerServiceClient(
            identity.credential, subscription, arm, credential_scopes=[f"{arm}/.default"], retry_total=3, read_timeout=60
        )
        try:
            found = client.managed_clusters.list_cluster_user_credentials(group, cluster, format="exec")
        except ClientAuthenticationError:
            raise
        except HttpResponseError as error:
            if refusal := _refusal(error, identity.connection_id, doing):
                raise refusal from error
            raise
        finally:
            client.close()
    configs = found.kubeconfigs or []
    if not configs or not configs[0].value:
        raise Broken(f"could not {doing}: Azure answers with none", advice="check that the cluster is running")
    return bytes(configs[0].value)


def _refusal(error: "HttpResponseError", connection_id: str, doing: str) -> Broken | ConfigurationError | None:
    """Missing rights and wrong names, told by what cures them; None for any other error."""
    if error.status_code == 403:
        return Broken(
            f"could not {doing}: {brief(error.message)}",
            advice=f"give the identity of the connection {connection_id} the role {_ROLE!r} on the cluster",
        )
    if error.status_code == 404:
        expected = "names that exist in extra.subscriptionId, extra.resource_group and extra.cluster"
        return ConfigurationError(f"the connection {connection_id}", [f"{brief(error.message)}; expected {expected}"])
    return None


def _read(content: bytes, cluster: str) -> dict[str, Any]:
    try:
        kubeconfig = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise Broken(f"Azure's kubeconfig of the cluster {cluster!r} is not YAML") from error
    if not isinstance(kubeconfig, dict) or not kubeconfig.get("clusters") or not kubeconfig.get("users"):
        raise Broken(f"Azure's kubeconfig of the cluster {cluster!r} names no cluster or no user")
    return kubeconfig


def _entra_server(kubeconfig: dict[str, Any]) -> str | None:
    """The application whose tokens the cluster takes; None when its user needs no Entra ID.

    AKS writes it into both of its formats: `--server-id` of the kubelogin plugin, `apiserver-id` of the older auth provider.
    """
    user = kubeconfig["users"][0].get("user") or {}
    if plugin := user.get("exec"):
        arguments = plugin.get("args") or []
        return next((after for before, after in pairwise(arguments) if before == "--server-id"), _SERVER)
    if provider := user.get("auth-provider"):
        return (provider.get("config") or {}).get("apiserver-id") or _SERVER
    return None
