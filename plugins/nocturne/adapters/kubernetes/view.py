"""Everything that tells how one rollout goes, kept as the cluster has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.reflector import Reflector
from nocturne.adapters.kubernetes.standing import Look, WatchTarget

_WARNINGS = "type=Warning,involvedObject.kind=Pod"
_SETTLE_SECONDS = 0.05


class View:
    """changed: set when there is something new to see."""

    def __init__(self, api: KubernetesApi, target: WatchTarget) -> None:
        self.changed = asyncio.Event()
        selector = ",".join(f"{key}={value}" for key, value in sorted(target.selector.items()))
        self._deployments = Reflector(api, "Deployment", self.changed, field_selector=f"metadata.name={target.deployment}")
        self._replica_sets = Reflector(api, "ReplicaSet", self.changed, selector)
        self._pods = Reflector(api, "Pod", self.changed, selector)
        self._needed = [self._deployments, self._replica_sets, self._pods]
        self._endpoints: Reflector | None = None
        if target.service is not None:
            self._endpoints = Reflector(api, "Endpoints", self.changed, field_selector=f"metadata.name={target.service}")
            self._needed.append(self._endpoints)
        # Only words come from it: a cluster whose events cannot be had is judged all the same.
        self._warnings = Reflector(api, "Event", self.changed, field_selector=_WARNINGS)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def away(self) -> str:
        """Why the cluster does not answer now, empty while it does."""
        return next((reflector.away for reflector in self._needed if reflector.away), "")

    @property
    def complete(self) -> bool:
        """Whether everything was seen at least once."""
        return all(reflector.listed for reflector in self._needed)

    def look(self) -> Look:
        """What there is to see now."""
        return Look(
            deployment=next(iter(self._deployments.items), None),
            replica_sets=self._replica_sets.items,
            pods=self._pods.items,
            endpoints=next(iter(self._endpoints.items), None) if self._endpoints else None,
            warnings=self._warnings.items,
        )

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep it as the cluster has it."""
        self._tasks = [asyncio.create_task(reflector.run()) for reflector in [*self._needed, self._warnings]]
        for task in self._tasks:
            task.add_done_callback(lambda _: self.changed.set())
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait(self, seconds: float | None) -> None:
        """Wait for something new to see, or so long. Raises what a reflector could not go on after."""
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return
        # What belongs together arrives together, and is judged together.
        await asyncio.sleep(_SETTLE_SECONDS)
        self.changed.clear()
        for task in self._tasks:
            if task.done():
                task.result()
