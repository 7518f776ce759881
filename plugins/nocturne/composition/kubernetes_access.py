"""What the connection of an environment on Kubernetes says.

Source of the fields of type `kubernetes`: the provider's own form,
https://airflow.apache.org/docs/apache-airflow-providers-cncf-kubernetes/stable/connections/kubernetes.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nocturne.composition.kubeconfig import kubeconfig_file, parsed_kubeconfig
from nocturne.composition.registries import registry_address
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    from nocturne.adapters.kubernetes import Access, PullSecret

_KINDS = ("azure", "kubernetes")
_TEXTS = ("namespace", "public_url", "node_address", "pull_secret", "kube_config_path", "cluster_context")
_SOURCES = ("kube_config", "kube_config_path", "in_cluster")
# A label of DNS: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Of a label's value: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Place:
    """Where in the cluster the app is, and how its users get there; texts may be empty, but not the namespace.

    node_address: of any node, for a Service that has no address but node ports. pull_secret: name of the pods' Secret.
    """

    namespace: str
    public_url: str
    node_address: str
    pull_secret: str


def place(connection: Connection) -> Place:
    """Check the whole connection, and read what stands in it beside the access. Raises ConfigurationError with every fault."""
    extra = connection.extra
    faults = [*_kind(connection), *_shapes(extra)]
    if connection.kind != "azure":
        faults += _sources(extra)
    if faults:
        raise ConfigurationError(f"the connection {connection.id}", faults)
    return Place(
        namespace=extra.get("namespace") or "default",
        public_url=extra.get("public_url") or "",
        node_address=extra.get("node_address") or "",
        pull_secret=extra.get("pull_secret") or "",
    )


def access(connection: Connection) -> "Access":
    """How the API is reached: AKS for the kind `azure`, else a kubeconfig or the pod's own account.

    Raises ConfigurationError, and Broken when Azure does not answer.
    """
    from nocturne.adapters.kubernetes import Access

    if connection.kind == "azure":
        from nocturne.adapters.azure.aks import aks_access

        kubeconfig, token = aks_access(connection)
        return Access(kubeconfig, None, token)
    extra, context = connection.extra, connection.extra.get("cluster_context") or None
    if path := extra.get("kube_config_path"):
        return Access(kubeconfig_file(connection, Path(path).expanduser()), context)
    if content := extra.get("kube_config"):
        return Access(parsed_kubeconfig(f"extra.kube_config of the connection {connection.id}", content), context)
    return Access(None)


def pull_secret(where: Place, registry: Connection) -> "PullSecret | None":
    """The Secret that the pods pull with. With a login in the registry's connection each release brings it up to date; without
    one, or with an identity of Azure, it is there already.
    """
    from nocturne.adapters.kubernetes import PullSecret

    if not where.pull_secret:
        return None
    _, host = registry_address(registry)
    # ACR would take a service principal's id and secret as they are. But that identity is the worker's, often for the cluster and
    # the models too, and whoever may read secrets in the namespace would have it. Who wants that says so by the type `docker`.
    known = registry if registry.kind != "azure" else Connection(registry.id)
    return PullSecret(where.pull_secret, host, known.login, known.password)


def kept_secret(where: Place, registry: Connection) -> str:
    """The name of the pull Secret that each release brings up to date, empty where none does."""
    made = pull_secret(where, registry)
    return made.name if made and made.login else ""


def label(app: str, environment: str) -> str:
    """How an app's objects in an environment are known: two environments may share a namespace. Raises ConfigurationError."""
    value = f"{app}.{environment}"
    if _LABEL.fullmatch(value):
        return value
    fault = (
        f"name and environments.{environment}: found {value!r}, which labels its objects, expected up to 63 letters, digits, - _ ."
    )
    raise ConfigurationError("release.toml", [fault])


def _kind(connection: Connection) -> list[str]:
    if connection.kind in _KINDS:
        return []
    return [f"type: found {connection.kind or 'nothing'!r}, expected 'kubernetes', or 'azure' for AKS"]


def _shapes(extra: Mapping[str, Any]) -> list[str]:
    faults = [
        f"extra.{key}: found {type(extra[key]).__name__}, expected a text"
        for key in _TEXTS
        if extra.get(key) is not None and not isinstance(extra[key], str)
    ]
    for key in ("namespace", "pull_secret"):
        value = extra.get(key)
        if isinstance(value, str) and value and not _NAME.fullmatch(value):
            faults.append(f"extra.{key}: found {value!r}, expected up to 63 small letters, digits and - such as 'digits'")
    url = extra.get("public_url")
    if isinstance(url, str) and url and not url.startswith(("http://", "https://")):
        faults.append(f"extra.public_url: found {url!r}, expected an address such as 'https://digits.example.org'")
    return faults


def _sources(extra: Mapping[str, Any]) -> list[str]:
    given = [key for key in _SOURCES if extra.get(key)]
    faults = []
    if len(given) > 1:
        faults.append(f"extra: found {' and '.join(given)}, expected one of them")
    if str(extra.get("disable_verify_ssl") or "false").lower() not in ("false", "0", "no"):
        faults.append("extra.disable_verify_ssl: found true, expected the cluster's certificate authority in the kubeconfig")
    return faults
