"""Looking at a rollout: until it ends, or once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Cluster, DesiredState, Phase, Rollout
from nocturne.steps.world import World

_SECONDS = 30.0
"""How long a cluster may be away before a look is given up."""
_AGAIN_SECONDS = 180.0
"""How long a rollout that was complete may take to be so again: an autoscaler adds replicas, a node is drained."""


@asynccontextmanager
async def looks(cluster: Cluster, desired: DesiredState) -> AsyncIterator[AsyncIterator[Rollout]]:
    """A watch that is closed at once when nobody looks any more, with the connections it holds."""
    watch = cluster.watch(desired)
    try:
        yield watch
    finally:
        if isinstance(watch, AsyncGenerator):
            await watch.aclose()


def look(world: World, environment: str, desired: DesiredState) -> Rollout:
    """How a rollout that was complete stands now. One that is on its way again is waited for: it has not failed.

    Raises Broken when the cluster cannot be seen for half a minute.
    """
    return asyncio.run(_look(world.cluster(environment), environment, desired))


def relapse(restarts: int, now: Rollout) -> list[str]:
    """What went wrong with a rollout that was complete; empty when it still is. restarts: how many there were then.

    Raises Broken when it is incomplete for a reason that says nothing about the release, or on its way still.
    """
    more = now.restarts - restarts
    faults = [f"its containers ended and were started again, {more} times: {now.message}"] if more > 0 else []
    if faults or now.phase is Phase.COMPLETE:
        return faults
    message = f"the rollout is not complete any more: {now.message}"
    if now.phase is Phase.PROGRESSING or now.blameless:
        raise Broken(message, advice="see what is in the way in the cluster, or who has changed the number of replicas")
    return [message]


async def _look(cluster: Cluster, environment: str, desired: DesiredState) -> Rollout:
    last: Rollout | None = None
    seen = False
    try:
        async with asyncio.timeout(_SECONDS) as patience, looks(cluster, desired) as watch:
            async for now in watch:
                if now.seen and not seen:
                    seen = True
                    patience.reschedule(asyncio.get_running_loop().time() + _AGAIN_SECONDS)
                last = now
                if last.seen and last.phase is not Phase.PROGRESSING:
                    return last
    except TimeoutError:
        pass
    if last and last.seen:
        return last
    message = last.message if last else f"no look succeeded in {_SECONDS:.0f} s"
    raise Broken(f"how {environment} stands cannot be seen: {message}", advice="see whether the cluster answers")
