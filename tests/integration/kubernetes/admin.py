"""The cluster's administrator, and anybody else who changes things by hand: what the tests do outside of the adapter."""

import json
import secrets
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException

_GROUPS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "poddisruptionbudgets": "/apis/policy/v1beta1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v1",
}
_JSON, _MERGE, _APPLY = "application/json", "application/merge-patch+json", "application/apply-patch+yaml"
_STRATEGIC = "application/strategic-merge-patch+json"


class Admin:
    """Requests with all rights, in one namespace unless said otherwise. plural: like `deployments`."""

    def __init__(self, kubeconfig: str, namespace: str = "") -> None:
        self._kubeconfig = kubeconfig
        self._client: ApiClient = config.new_client_from_config(kubeconfig)
        self.namespace = namespace

    def within(self, namespace: str) -> "Admin":
        """The same administrator in another namespace."""
        return Admin(self._kubeconfig, namespace)

    def get(self, plural: str, name: str = "") -> dict[str, Any] | None:
        """One object, or a list without a name; None when there is none."""
        try:
            return self.request("GET", self.path(plural, name))
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def names(self, plural: str) -> set[str]:
        """The names of all objects of a kind."""
        return {item["metadata"]["name"] for item in (self.get(plural) or {})["items"]}

    def create(self, plural: str, *objects: dict[str, Any]) -> None:
        """Create objects of one kind."""
        for item in objects:
            self.request("POST", self.path(plural), item)

    def create_yaml(self, text: str) -> None:
        """Create every object of a YAML text, as `kubectl create` does."""
        for item in yaml.safe_load_all(text):
            self.create(f"{item['kind'].lower()}s", item)

    def patch(self, plural: str, name: str, change: dict[str, Any], field_manager: str = "kubectl-edit") -> dict[str, Any]:
        """Change an object by hand, with a merge patch."""
        return self.request("PATCH", self.path(plural, name, f"?fieldManager={field_manager}"), change, _MERGE)

    def patch_strategic(self, plural: str, name: str, change: dict[str, Any], field_manager: str) -> dict[str, Any]:
        """Change an object by hand as `kubectl edit` and `kubectl set` do: lists are merged by name."""
        return self.request("PATCH", self.path(plural, name, f"?fieldManager={field_manager}"), change, _STRATEGIC)

    def apply(self, plural: str, name: str, item: dict[str, Any], field_manager: str, force: bool = True) -> dict[str, Any]:
        """Server-side apply as another field manager."""
        query = f"?fieldManager={field_manager}&force={str(force).lower()}"
        return self.request("PATCH", self.path(plural, name, query), item, _APPLY)

    def scale(self, name: str, replicas: int) -> None:
        """`kubectl scale deployment`."""
        path = self.path("deployments", f"{name}/scale", "?fieldManager=kubectl-scale")
        self.request("PATCH", path, {"spec": {"replicas": replicas}}, _MERGE)

    def delete(self, plural: str, name: str) -> None:
        """Delete an object; its dependents go in the background."""
        self.request("DELETE", self.path(plural, name), {"propagationPolicy": "Background"})

    def token(self, account: str, bound_to: str = "") -> str:
        """A token of a ServiceAccount for an hour. bound_to: a Secret's name, whose removal ends the token before."""
        spec: dict[str, Any] = {"expirationSeconds": 3600, "audiences": None}
        if bound_to:
            spec["boundObjectRef"] = {"kind": "Secret", "apiVersion": "v1", "name": bound_to}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return str(self.request("POST", self.path("serviceaccounts", f"{account}/token"), request)["status"]["token"])

    def make_namespace(self, prefix: str) -> "Admin":
        """Make a namespace with a name of its own; returns the administrator in it."""
        name = f"{prefix}{secrets.token_hex(4)}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.request("POST", "/api/v1/namespaces", body)
        return self.within(name)

    def remove_namespace(self) -> None:
        """Have the namespace removed, without waiting for it."""
        self.request("DELETE", f"/api/v1/namespaces/{self.namespace}")

    def path(self, plural: str, name: str = "", query: str = "") -> str:
        """The address of a kind or an object on the API server."""
        base = f"{_GROUPS.get(plural, '/api/v1')}/namespaces/{self.namespace}/{plural}"
        return f"{base}/{name}{query}" if name else base

    def request(self, method: str, path: str, body: Any = None, content_type: str = _JSON) -> dict[str, Any]:
        """One request, answered by an object. Raises ApiException."""
        headers = {"Accept": _JSON, "Content-Type": content_type}
        path, _, query = path.partition("?")
        pairs = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]
        answer = self._client.call_api(
            path, method, None, pairs, headers, body, auth_settings=["BearerToken"], _preload_content=False
        )
        found: dict[str, Any] = json.loads(answer.data)
        return found
