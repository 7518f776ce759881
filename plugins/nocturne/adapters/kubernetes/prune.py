"""Removing what a release has made superfluous, and only what releases of this app have created."""

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.api import KubernetesApi, Object
from nocturne.adapters.kubernetes.kinds import APP_KINDS
from nocturne.adapters.kubernetes.ownership import is_ours
from nocturne.domain.errors import Conflict


async def retire(api: KubernetesApi, app: str, objects: list[Object]) -> list[str]:
    """Delete every object of the app that is not among these.

    objects: what the release that users get consists of. Returns what was deleted, like `Deployment web-blue`. Raises Broken.
    """
    wanted = {(str(item["kind"]), str(item["metadata"]["name"])) for item in objects}
    removed = []
    # What sends users, or scales, goes before the pods, and what the pods need goes after them.
    for kind in reversed(APP_KINDS):
        for item in (await api.list(kind, f"{names.APP}={app}")).items:
            name = str(item["metadata"]["name"])
            if (kind, name) not in wanted and _is_made_by_us(item, app) and await _delete(api, kind, item):
                removed.append(f"{kind} {name}")
    return removed


def _is_made_by_us(item: Object, app: str) -> bool:
    """What was there before a release took it over may be somebody's production."""
    return is_ours(item, app) and names.ADOPTED not in (item["metadata"].get("annotations") or {})


async def _delete(api: KubernetesApi, kind: str, item: Object) -> bool:
    if item["metadata"].get("deletionTimestamp"):
        return False
    try:
        return await api.delete(kind, str(item["metadata"]["name"]), str(item["metadata"]["uid"]))
    except Conflict:
        # It was deleted, and somebody has made another one of that name meanwhile: that one was not looked at.
        return False
