"""The Kubernetes API in one namespace, in plain dictionaries.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.kinds import KINDS, Kind
from nocturne.adapters.kubernetes.refusals import Asked, FieldConflict, Invalid, Owner, refusal
from nocturne.adapters.kubernetes.wire import Wire
from nocturne.domain.errors import Broken

__all__ = ["Event", "FieldConflict", "Invalid", "KubernetesApi", "Listing", "Owner", "ProxyAnswer"]

FIELD_MANAGER = "nocturne"
"""Who the API server records as the owner of what a release has set."""
_WATCH_SECONDS = 50
"""How long the server keeps a watch open; the caller takes it up again. Shorter than what middle boxes allow."""

Object = dict[str, Any]
Objects = list[Object]


@dataclass(frozen=True)
class Listing:
    """The objects of a kind, and the version from which a watch goes on."""

    items: list[Object]
    resource_version: str


@dataclass(frozen=True)
class Event:
    """One line of a watch. type: ADDED, MODIFIED, DELETED, or BOOKMARK, whose object has only metadata.resourceVersion."""

    type: str
    object: Object


@dataclass(frozen=True)
class ProxyAnswer:
    """What a pod answered through the API server, or the API server in its place when it cannot reach the pod."""

    status: int
    body: bytes


class KubernetesApi:
    """Calls to one API server, for one namespace; an async context manager, used in one event loop.

    Every call raises Broken when the server does not answer or does not allow it, and Unauthorized, a Broken, for a wrong token.
    """

    def __init__(self, access: Access, namespace: str) -> None:
        self.namespace = namespace
        self._wire = Wire(access)
        self._served: dict[tuple[str, str], str] = {}

    async def __aenter__(self) -> Self:
        await self._wire.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._wire.close()

    @property
    def host(self) -> str:
        """The address of the API server."""
        return self._wire.host

    async def get(self, kind: str, name: str, version: str = "") -> Object | None:
        """An object, None when there is none. version: of its API, or one of the same shape; empty for the newest served."""
        asked = self._asked("get", kind, name)
        path = await self._path(kind, name, await self.served_version(KINDS[kind], version))
        status, body = await self._wire.send(asked, "GET", path)
        return None if status == 404 else _read(asked, status, body)

    async def list(self, kind: str, selector: str = "", field_selector: str = "") -> Listing:
        """The objects of a kind by labels and fields."""
        asked = self._asked("list", kind)
        parameters = _some({"labelSelector": selector, "fieldSelector": field_selector})
        answer = _read(asked, *await self._wire.send(asked, "GET", await self._path(kind), parameters))
        version = str(answer.get("apiVersion", ""))
        # The items of a list do not say what they are.
        items = [{"apiVersion": version, "kind": kind, **item} for item in answer.get("items") or []]
        return Listing(items, str(answer["metadata"]["resourceVersion"]))

    async def apply(self, kind: str, object: Object, *, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply as the field manager `nocturne`; the object as it is afterwards.

        The version of the object's API is replaced by one of the same shape where the server serves only that. Raises
        FieldConflict unless force, Conflict, and Invalid.
        """
        name = str(object["metadata"]["name"])
        asked = self._asked("patch", kind, name)
        version = await self.served_version(KINDS[kind], str(object["apiVersion"]))
        parameters = {"fieldManager": FIELD_MANAGER, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        body = json.dumps({**object, "apiVersion": version}).encode()
        headers = {"Content-Type": "application/apply-patch+yaml"}
        path = await self._path(kind, name, version)
        return _read(asked, *await self._wire.send(asked, "PATCH", path, parameters, body, headers))

    async def own(self, live: Object, managed_fields: Objects) -> None:
        """Record other owners of a live object's fields; nothing else is changed. Raises Conflict when it has moved meanwhile."""
        kind, name = str(live["kind"]), str(live["metadata"]["name"])
        asked = self._asked("patch", kind, name)
        metadata = {"resourceVersion": live["metadata"]["resourceVersion"], "managedFields": managed_fields}
        headers = {"Content-Type": "application/merge-patch+json"}
        path = await self._path(kind, name, str(live["apiVersion"]))
        body = json.dumps({"metadata": metadata}).encode()
        _read(asked, *await self._wire.send(asked, "PATCH", path, {"fieldManager": FIELD_MANAGER}, body, headers))

    async def delete(self, kind: str, name: str, uid: str) -> bool:
        """Delete this very object, with what it owns. False when it is gone already. Raises Conflict when the name is another's."""
        asked = self._asked("delete", kind, name)
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background", "preconditions": {"uid": uid}}
        headers = {"Content-Type": "application/json"}
        path = await self._path(kind, name)
        status, body = await self._wire.send(asked, "DELETE", path, None, json.dumps(options).encode(), headers)
        if status == 404:
            return False
        _read(asked, status, body)
        return True

    async def watch(
        self, kind: str, selector: str = "", field_selector: str = "", resource_version: str = ""
    ) -> AsyncIterator[Event]:
        """What changes after a version; ends after about a minute: watch on from the last version seen. Raises Expired."""
        asked = self._asked("watch", kind)
        parameters = _some({"labelSelector": selector, "fieldSelector": field_selector, "resourceVersion": resource_version})
        parameters |= {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(_WATCH_SECONDS)}
        async for line in self._wire.lines(asked, await self._path(kind), parameters, _WATCH_SECONDS + 10):
            try:
                event = json.loads(line)
            except ValueError as error:
                raise Broken(f"the cluster at {self.host} does not answer: a watch ended within a line") from error
            if event["type"] == "ERROR":
                status = event["object"]
                raise refusal(asked, int(status.get("code") or 500), json.dumps(status).encode())
            yield Event(event["type"], event["object"])

    async def log(self, pod: str, container: str, lines: int, previous: bool = False) -> str:
        """The last lines that a container wrote, or the one before it at its place; empty when there is none."""
        asked = Asked("get", "pods/log", self.namespace, self.host, pod)
        parameters = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        status, body = await self._wire.send(asked, "GET", f"{await self._path('Pod', pod)}/log", parameters)
        if status in (400, 404):
            return ""
        if status != 200:
            raise refusal(asked, status, body)
        return body.decode(errors="replace")

    async def proxy(
        self,
        pod: str,
        port: int,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> ProxyAnswer:
        """Ask a pod through the API server. path: begins with a slash, and may have a query."""
        asked = Asked("get" if method == "GET" else "create", "pods/proxy", self.namespace, self.host, pod)
        url = f"/api/v1/namespaces/{self.namespace}/pods/{pod}:{port}/proxy{path}"
        status, content = await self._wire.send(asked, method, url, None, body, headers)
        # The app's own 401 and 403 are its business; the API server's say so in its own words.
        if status in (401, 403) and b'"kind":"Status"' in content.replace(b" ", b""):
            raise refusal(asked, status, content)
        return ProxyAnswer(status, content)

    async def can(self, verb: str, group: str, resource: str, subresource: str = "", name: str = "") -> bool:
        """Whether whoever asks may do this in the namespace. name: of one object, empty for all."""
        asked = Asked("create", "selfsubjectaccessreviews", self.namespace, self.host)
        attributes = {"namespace": self.namespace, "verb": verb, "group": group, "resource": resource, "subresource": subresource}
        attributes |= _some({"name": name})
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path, headers = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"Content-Type": "application/json"}
        answer = _read(asked, *await self._wire.send(asked, "POST", path, None, json.dumps(review).encode(), headers))
        return bool(answer["status"].get("allowed"))

    async def served_version(self, kind: Kind, version: str = "") -> str:
        """The version of a kind's API to use for one: itself, or the first of the same shape that the server serves.

        Raises Invalid that names what is served.
        """
        alternatives = kind.alternatives(version)
        if len(alternatives) == 1 and len(kind.versions) == 1:
            return alternatives[0]
        known = self._served.get((kind.name, version))
        if known is None:
            known = next(iter([each for each in alternatives if await self._serves(kind, each)]), None)
        if known is None:
            served = [each for each in kind.alternatives() if await self._serves(kind, each)]
            expected = " or ".join(served) or "another kind"
            fault = f"{kind.name}: found {version or kind.group}, expected {expected}, which the cluster serves"
            raise Invalid(f"the cluster at {self.host} does not serve it: {fault}", advice="correct apiVersion", faults=(fault,))
        self._served[kind.name, version] = known
        return known

    async def _serves(self, kind: Kind, version: str) -> bool:
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        asked = Asked("get", path, self.namespace, self.host)
        status, body = await self._wire.send(asked, "GET", path)
        if status == 404:
            return False
        return any(resource["name"] == kind.plural for resource in _read(asked, status, body)["resources"])

    def _asked(self, verb: str, kind: str, name: str = "") -> Asked:
        return Asked(verb, KINDS[kind].plural, self.namespace, self.host, name)

    async def _path(self, kind: str, name: str = "", version: str = "") -> str:
        known = KINDS[kind]
        version = version or await self.served_version(known)
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        path = f"{root}/namespaces/{self.namespace}/{known.plural}"
        # A manifest's name is anything until the server has judged it.
        return f"{path}/{quote(name, safe='')}" if name else path


def _read(asked: Asked, status: int, body: bytes) -> Object:
    if not 200 <= status < 300:
        raise refusal(asked, status, body)
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise Broken(f"the cluster at {asked.host} does not answer: found {body[:80]!r}, expected JSON") from error
    return dict(answer)


def _some(parameters: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in parameters.items() if value}
