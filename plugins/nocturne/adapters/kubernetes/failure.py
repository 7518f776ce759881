"""Why a rollout failed or is hindered, in words: the reason, and what the container has written last."""

from dataclasses import replace

from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.rollout import Judgement
from nocturne.adapters.kubernetes.trouble import Trouble
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Rollout

_LINES = 8
_LONGEST_LINE = 300
_REMOVED = "unable to retrieve container logs for"
"""What the kubelet answers in place of a log that it has removed, with status 200."""


async def explain(api: KubernetesApi, judgement: Judgement) -> Rollout:
    """The rollout with the last lines of the log in its message. A cluster that is away leaves only what is known already."""
    rollout, trouble = judgement.rollout, judgement.trouble
    if trouble is None or not trouble.container:
        return rollout
    try:
        lines = await _last_lines(api, trouble)
    except Broken as error:
        return replace(rollout, message=f"{rollout.message}; its log could not be read ({error.message})")
    if not lines:
        return replace(rollout, message=f"{rollout.message}; its log is empty")
    listing = "\n".join(f"  {line}" for line in lines)
    return replace(rollout, message=f"{rollout.message}; last log lines of pod {trouble.pod}:\n{listing}")


async def _last_lines(api: KubernetesApi, trouble: Trouble) -> list[str]:
    seen = await _lines(api, trouble, previous=trouble.previous)
    if seen and (trouble.previous or not trouble.has_ended):
        return seen
    # The node keeps the logs of few runs: another one's is better than none. And where a run has ended, another one may have begun
    # since, or its last words may not be in the log yet: then the one before it tells more.
    return max(seen, await _lines(api, trouble, previous=not trouble.previous), key=len)


async def _lines(api: KubernetesApi, trouble: Trouble, *, previous: bool) -> list[str]:
    text = await api.log(trouble.pod, trouble.container, _LINES, previous=previous)
    if text.startswith(_REMOVED):
        return []
    return [line.rstrip()[:_LONGEST_LINE] for line in text.splitlines() if line.strip()]
