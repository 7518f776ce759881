"""The sandbox's namespace in a Kubernetes cluster, with a Role and an account for releases."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import yaml

from nocturne.adapters.kubernetes import role_yaml
from nocturne.domain.errors import Broken, Conflict
from nocturne.sandbox.kubeconfig import read_kubeconfig, write_release_kubeconfig
from nocturne.sandbox.kubernetes_calls import KubernetesCalls
from nocturne.sandbox.ownership import HOME_LABEL, HOST_LABEL, is_abandoned, this_host
from nocturne.sandbox.settings import Settings

T = TypeVar("T")

ACCOUNT = "nocturne"
"""Name of the ServiceAccount, the Role and their binding."""
_TOKEN_SECONDS = 365 * 24 * 3600
_REMOVAL_SECONDS = 180.0
_NAMESPACES = "/api/v1/namespaces"
_RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
_PLURALS = {"ServiceAccount": "serviceaccounts", "Role": "roles", "RoleBinding": "rolebindings"}


class SandboxNamespace:
    """The namespace that bears the sandbox's name. Every method raises Broken when the cluster does not answer or allow it, and
    ConfigurationError when KUBECONFIG cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = f"{_NAMESPACES}/{settings.name}"

    def ensure(self, told: Callable[[str], None]) -> None:
        """Have the namespace with the Role, and a fresh token in the releases' kubeconfig. Raises Conflict when the namespace is
        somebody else's; one whose sandbox was deleted without `clean` is made anew. told: that it was.
        """
        self._run(lambda calls: self._ensure(calls, told))

    def remove(self) -> bool:
        """Delete the namespace with all that is in it, and wait until it is gone. False when there is none of this sandbox."""
        return self._run(self._remove)

    def version(self) -> str:
        """The cluster's, and its address."""
        return self._run(self._version)

    def replicas(self) -> tuple[int, int] | None:
        """How many pods of the app are ready, of how many; None when nothing was released."""
        return self._run(self._replicas)

    def _run(self, work: Callable[[KubernetesCalls], Awaitable[T]]) -> T:
        async def run() -> T:
            async with KubernetesCalls(read_kubeconfig(self._settings.kubeconfig), self._settings.name) as calls:
                return await work(calls)

        return asyncio.run(run())

    async def _ensure(self, calls: KubernetesCalls, told: Callable[[str], None]) -> None:
        found = await calls.get(self._path)
        if found is not None and not self._is_ours(found):
            await self._take_over(calls, found, told)
            found = None
        if found is not None and found["status"]["phase"] == "Terminating":
            await self._wait_for_end(calls)
            found = None
        if found is None:
            await calls.create(_NAMESPACES, self._manifest())
        for document in yaml.safe_load_all(role_yaml(self._settings.name, ACCOUNT, pull_secret="")):
            root = _NAMESPACES if document["kind"] == "ServiceAccount" else _RBAC
            path = f"{root}/{self._settings.name}/{_PLURALS[document['kind']]}/{document['metadata']['name']}"
            await calls.apply(path, document)
        write_release_kubeconfig(self._settings.home, self._settings.kubeconfig, await self._token(calls))

    async def _token(self, calls: KubernetesCalls) -> str:
        """Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/"""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},  # the server may give it a shorter life
        }
        answer = await calls.create(f"{self._path}/serviceaccounts/{ACCOUNT}/token", request)
        return str(answer["status"]["token"])

    async def _take_over(self, calls: KubernetesCalls, found: dict[str, Any], told: Callable[[str], None]) -> None:
        owner, host = self._owner(found)
        if host != this_host() or not is_abandoned(owner, self._settings.home):
            raise Conflict(
                f"the namespace {self._settings.name} of the cluster at {calls.host} belongs to {owner or 'nobody that it names'}"
                f"{f' on {host}' if host else ''}, expected {self._settings.home} on {this_host()}",
                advice="set NOCTURNE_NAME to another name for this sandbox, or `make clean` the other one",
            )
        told(f"removing the namespace {self._settings.name} of {owner}, which was deleted without `make clean`")
        await calls.delete(self._path, found["metadata"]["uid"])
        await self._wait_for_end(calls)

    async def _remove(self, calls: KubernetesCalls) -> bool:
        found = await calls.get(self._path)
        if found is None or not self._is_ours(found):
            return False
        await calls.delete(self._path, found["metadata"]["uid"])
        await self._wait_for_end(calls)
        return True

    async def _wait_for_end(self, calls: KubernetesCalls) -> None:
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while await calls.get(self._path) is not None:
            if time.monotonic() > deadline:
                raise Broken(
                    f"the namespace {self._settings.name} is still there after {_REMOVAL_SECONDS:.0f} s",
                    advice=f"see what holds it: kubectl get namespace {self._settings.name} -o yaml",
                )
            await asyncio.sleep(0.5)

    async def _version(self, calls: KubernetesCalls) -> str:
        found = await calls.get("/version") or {}
        return f"Kubernetes {found.get('gitVersion')} at {calls.host}"

    async def _replicas(self, calls: KubernetesCalls) -> tuple[int, int] | None:
        found = await calls.get(f"/apis/apps/v1/namespaces/{self._settings.name}/deployments", labelSelector="nocturne.io/app")
        items = (found or {}).get("items") or []
        if not items:
            return None
        ready = sum(item.get("status", {}).get("readyReplicas", 0) for item in items)
        return ready, sum(item["spec"].get("replicas", 1) for item in items)

    def _manifest(self) -> dict[str, Any]:
        annotations = {HOME_LABEL: str(self._settings.home), HOST_LABEL: this_host()}
        metadata = {"name": self._settings.name, "annotations": annotations}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}

    def _is_ours(self, found: dict[str, Any]) -> bool:
        return self._owner(found) == (str(self._settings.home), this_host())

    def _owner(self, found: dict[str, Any]) -> tuple[str, str]:
        annotations = found["metadata"].get("annotations") or {}
        return annotations.get(HOME_LABEL, ""), annotations.get(HOST_LABEL, "")
