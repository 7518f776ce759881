"""What somebody else has made under a name that a release needs: it is told before anything is changed, and left alone."""

from collections.abc import Iterable

from nocturne.adapters.kubernetes.api import KubernetesApi, Object
from nocturne.adapters.kubernetes.names import APP
from nocturne.adapters.kubernetes.ownership import app_of, is_ours, managers
from nocturne.domain.errors import Conflict

Key = tuple[str, str]
"""Kind and name."""


async def refuse_foreign(api: KubernetesApi, app: str, wanted: Iterable[Key]) -> None:
    """Raises Conflict that names every object of these that is there and no release of this app has applied."""
    found = [item for kind, name in wanted if (item := await api.get(kind, name)) is not None and not is_ours(item, app)]
    if found:
        listing = "\n".join(f"  - {_told(item)}" for item in found)
        raise Conflict(
            f"somebody else has made what the release needs the name of:\n{listing}",
            advice="remove it, or give the manifests other names, roll the release out beside it and move the users over",
        )


def refuse_others(item: Object, live: Object) -> None:
    """Raises Conflict when another app, or this one in another environment, has applied an object. Secrets may be shared."""
    other = app_of(live)
    if item["kind"] != "Secret" and other and not is_ours(live, item["metadata"]["labels"][APP]):
        raise Conflict(
            f"somebody else has made what the release needs the name of:\n  - {_told(live)}",
            advice="give the manifests of one of the two other names, or its environment another namespace",
        )


def _told(item: Object) -> str:
    other = app_of(item)
    whose = f"a release of {other}" if other else ", ".join(managers(item)) or "nobody known"
    return f"{item['kind']} {item['metadata']['name']}: was made by {whose}, expected none, or one that releases of this app made"
