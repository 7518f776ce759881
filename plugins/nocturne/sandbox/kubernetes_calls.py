"""Calls to a cluster's API as its administrator, for what an app's namespace stands in.

The adapter's own calls are for what is in the namespace, with the Role's rights alone.
"""

import json
from types import TracebackType
from typing import Any, Self

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.refusals import Asked, refusal
from nocturne.adapters.kubernetes.wire import Wire

_MANAGER = {"fieldManager": "nocturne-sandbox", "force": "true"}


class KubernetesCalls:
    """An async context manager. Every call raises Broken when the cluster does not answer or does not allow it."""

    def __init__(self, kubeconfig: dict[str, Any], namespace: str) -> None:
        self._wire = Wire(Access(kubeconfig))
        self._namespace = namespace

    async def __aenter__(self) -> Self:
        await self._wire.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._wire.close()

    @property
    def host(self) -> str:
        """The API server's address."""
        return self._wire.host

    async def get(self, path: str, **parameters: str) -> dict[str, Any] | None:
        """An object or a list; None when there is none."""
        return await self._call("get", "GET", path, parameters=parameters)

    async def create(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """Post an object, and get it as it is then."""
        return await self._call("create", "POST", path, content, "application/json") or {}

    async def apply(self, path: str, content: dict[str, Any]) -> None:
        """Create an object, or make it so."""
        await self._call("patch", "PATCH", path, content, "application/apply-patch+yaml", _MANAGER)

    async def delete(self, path: str, uid: str) -> None:
        """Delete this very object; nothing happens when it is gone."""
        await self._call("delete", "DELETE", path, {"preconditions": {"uid": uid}}, "application/json")

    async def _call(
        self,
        verb: str,
        method: str,
        path: str,
        content: dict[str, Any] | None = None,
        content_type: str = "",
        parameters: dict[str, str] | None = None,
    ) -> dict[str, Any] | None:
        asked = Asked(verb, path.rpartition("/")[2], self._namespace, self.host)
        body = json.dumps(content).encode() if content is not None else None
        headers = {"Content-Type": content_type} if content_type else None
        status, answer = await self._wire.send(asked, method, path, parameters, body, headers)
        if status == 404 and method in ("GET", "DELETE"):
            return None
        if not 200 <= status < 300:
            raise refusal(asked, status, answer)
        return dict(json.loads(answer))
