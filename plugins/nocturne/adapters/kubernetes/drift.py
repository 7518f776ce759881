"""What differs between a release as it would be applied and what is there, in sentences."""

import json
from typing import Any

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.additions import Addition, additions, value_at
from nocturne.adapters.kubernetes.api import Invalid, KubernetesApi, Object
from nocturne.adapters.kubernetes.comparison import Difference, compare, setters, written
from nocturne.domain.errors import Broken

_OF_A_RUN = tuple(
    f"metadata.annotations[{key}]" for key in (names.RUN, names.REQUESTED_BY, names.REPLICAS, names.ADOPTED, names.LEADS_SINCE)
)
"""Differs from run to run of the same release."""
_LONGEST = 120
_LOOKS = 5


async def differences(api: KubernetesApi, objects: list[Object]) -> list[str]:
    """One sentence for each object that is missing, field that differs and field that was added, with who did it; changes nothing.

    objects: what a release applies. A number of replicas is nobody's drift: it is an operator's or an autoscaler's. A Secret is
    left out, for sentences are shown and its content must not be: a release brings it up to date. Raises Broken.
    """
    return [sentence for item in objects if item["kind"] != "Secret" for sentence in await _of_one(api, item)]


async def _of_one(api: KubernetesApi, item: Object) -> list[str]:
    kind, name = str(item["kind"]), str(item["metadata"]["name"])
    try:
        live, expected = await _both(api, item)
    except Invalid as error:
        return [f"{kind} {name} cannot become what is expected: {error.message}"]
    if live is None:
        return [f"{kind} {name} is missing"]
    ignored = (*_OF_A_RUN, "spec.replicas") if kind == "Deployment" else _OF_A_RUN
    found = [_sentence(live, one) for one in compare(live, expected, ignored)] + await _added(api, item, expected)
    return [f"{kind} {name}: {text}" for text in found]


async def _both(api: KubernetesApi, item: Object) -> tuple[Object | None, Object]:
    """The live object, and as the server would have it: with defaults, and what others own left where it is."""
    live, expected = None, item
    for _ in range(_LOOKS):
        live = await api.get(str(item["kind"]), str(item["metadata"]["name"]), str(item["apiVersion"]))
        if live is None:
            break
        expected = await api.apply(str(item["kind"]), item, force=True, dry_run=True)
        if live["metadata"]["resourceVersion"] == expected["metadata"].get("resourceVersion"):
            break
        # A controller wrote to it between the two: what it wrote is no difference.
    return live, expected


def _sentence(live: Object, difference: Difference) -> str:
    who = ", ".join(setters(live, difference.path))
    found, expected = _shown(difference.found), _shown(difference.expected)
    return f"{written(difference.path)} is {found}, expected {expected}" + (f" (changed by {who})" if who else "")


async def _added(api: KubernetesApi, item: Object, expected: Object) -> list[str]:
    return [
        f"{one.path} is {_shown(one.value)}, expected nothing there (added by {one.manager})"
        for one in await added(api, item, expected)
    ]


async def added(api: KubernetesApi, item: Object, expected: Object) -> list[Addition]:
    """What others have put into an object and the release does not name. expected: as a forced dry run would leave it, for in the
    live object whoever changed a field of ours owns it alone. Raises Broken.
    """
    found = additions(str(item["kind"]), expected)
    if not found:
        return []
    untouched = await _untouched(api, item)
    return [one for one in found if one.value != value_at(untouched, one.names)]


async def _untouched(api: KubernetesApi, item: Object) -> Object:
    """The object as the server would make it afresh: who once made it by hand counts as the owner of all defaults."""
    try:
        return await api.apply(str(item["kind"]), under_another_name(item), dry_run=True)
    except (Broken, Invalid):
        # A full quota, or a port that only one may have: then a default too many is shown.
        return item


def under_another_name(item: Object) -> Object:
    """The same object under a name that nobody has, for a dry run."""
    return {**item, "metadata": {**item["metadata"], "name": f"{item['metadata']['name'][:50]}-untouched"}}


def _shown(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
