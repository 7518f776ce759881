"""The objects of one kind, kept as the cluster has them by a list and a watch that goes on from it.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import time
from contextlib import aclosing, suppress
from typing import Any

from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.domain.errors import Broken

Object = dict[str, Any]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
"""Seconds before the cluster is asked again after a failure that came at once; each pause is twice the one before."""
_SHORTEST_WATCH = 1.0
"""Seconds. A server that ends every watch at once is not asked more often than that."""


class Reflector:
    """objects: by uid. listed: whether they were ever seen. away: why the cluster does not answer now, empty while it does.

    changed: is set at each change of any of these.
    """

    def __init__(self, api: KubernetesApi, kind: str, changed: asyncio.Event, selector: str = "", field_selector: str = "") -> None:
        self.objects: dict[str, Object] = {}
        self.listed = False
        self.away = ""
        self._api = api
        self._kind = kind
        self._changed = changed
        self._selector = selector
        self._field_selector = field_selector
        self._pause = _FIRST_PAUSE

    @property
    def items(self) -> list[Object]:
        """The objects."""
        return list(self.objects.values())

    async def run(self) -> None:
        """Keep them until cancelled. A cluster that is away is told by `away` and asked again."""
        while True:
            begun = time.monotonic()
            try:
                version = await self.list()
            except Broken as error:
                self._tell_away(error.message)
            else:
                # What a watch missed is in the next list, whether its version is forgotten or its connection was cut; and that
                # is no news while the list succeeds.
                with suppress(Broken):
                    await self._follow(version)
            if time.monotonic() - begun > _LONGEST_PAUSE:
                self._pause = _FIRST_PAUSE
            else:
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def list(self) -> str:
        """See them once; returns the version to watch from. Raises Broken."""
        listing = await self._api.list(self._kind, self._selector, self._field_selector)
        found = {str(item["metadata"]["uid"]): item for item in listing.items}
        if found != self.objects or self.away or not self.listed:
            self.objects, self.away, self.listed = found, "", True
            self._changed.set()
        return listing.resource_version

    async def _follow(self, version: str) -> None:
        while True:
            begun = time.monotonic()
            events = self._api.watch(self._kind, self._selector, self._field_selector, version)
            async with aclosing(events):  # type: ignore[type-var]
                async for event in events:
                    version = str(event.object["metadata"]["resourceVersion"])
                    self._take(event.type, event.object)
            await asyncio.sleep(max(0.0, _SHORTEST_WATCH - (time.monotonic() - begun)))

    def _take(self, change: str, item: Object) -> None:
        if change == "BOOKMARK":
            return
        uid = str(item["metadata"]["uid"])
        if change == "DELETED":
            self.objects.pop(uid, None)
        else:
            self.objects[uid] = item
        self._changed.set()

    def _tell_away(self, reason: str) -> None:
        if self.away != reason:
            self.away = reason
            self._changed.set()
