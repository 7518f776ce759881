"""Waiting for a rollout: a watch on everything that tells how it goes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.failure import explain
from nocturne.adapters.kubernetes.rollout import Memory, judge
from nocturne.adapters.kubernetes.standing import WatchTarget, stand
from nocturne.adapters.kubernetes.view import View
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase, Rollout

_NEVER_SEEN = Rollout(Phase.PROGRESSING, 0, 0, "", seen=False)
_OPEN_AGAIN_SECONDS = 5.0


async def watch_rollout(
    open_api: Callable[[], KubernetesApi], target: WatchTarget, desired: DesiredState
) -> AsyncGenerator[Rollout, None]:
    """Looks at a rollout, one for each change that a person would notice, until it is complete or failed.

    A cluster that is away is told with seen=False, and waited for. Raises Broken when the Deployment is gone or is asked to run
    something else.
    """
    last = _NEVER_SEEN
    async with AsyncExitStack() as stack:
        while True:
            try:
                api = await stack.enter_async_context(open_api())
                break
            except Broken as error:
                # The credential plugin, say, needs a server of its own.
                if error.message != last.message:
                    last = _unseen(last, error.message)
                    yield last
            await asyncio.sleep(_OPEN_AGAIN_SECONDS)
        view = View(api, target)
        await stack.enter_async_context(view.kept())
        memory, again = Memory(), None
        while last.phase is Phase.PROGRESSING:
            await view.wait(again)
            now = datetime.now(UTC)
            if view.away:
                # Nothing lasts on while nobody looks: what hinders it may be over, and the cluster not yet able to say so.
                found, memory, again = _unseen(last, view.away), replace(memory, since={}), None
            elif view.complete:
                standing = stand(target, desired, view.look(), now)
                memory = memory.after(standing, now)
                judgement = judge(target, standing, memory, now)
                found, again = await explain(api, judgement), judgement.again
            else:
                continue
            if found != last:
                last = found
                yield last


def _unseen(last: Rollout, why: str) -> Rollout:
    return replace(last, seen=False, message=why)
