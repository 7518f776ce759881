"""Server-side apply of a release's objects: tried out first as a whole, then only what differs.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.additions import Addition, owned_by_us
from nocturne.adapters.kubernetes.api import FieldConflict, Invalid, KubernetesApi, Owner
from nocturne.adapters.kubernetes.comparison import compare
from nocturne.adapters.kubernetes.drift import added
from nocturne.adapters.kubernetes.foreign import refuse_others
from nocturne.adapters.kubernetes.ownership import app_of, is_our_entry
from nocturne.adapters.kubernetes.situation import chosen_replicas
from nocturne.domain.errors import Conflict, Rejected
from nocturne.domain.strategy import Drift

Object = dict[str, Any]

_REPLICAS = ".spec.replicas"
"""Scaling is nobody's conflict: a number that somebody has chosen is applied as it is, and whoever owns it scales again."""
_TRIES = 5
_AGAIN_SECONDS = 0.2
_OF_A_RUN = tuple(f"metadata.annotations[{key}]" for key in (names.RUN, names.REQUESTED_BY, names.LEADS_SINCE))


@dataclass(frozen=True)
class Trial:
    """What a dry run of one object came to. owners: others, of fields that would be changed. differs: from what is there.

    added: by others, in fields that the release does not name.
    """

    object: Object
    differs: bool = False
    owners: tuple[Owner, ...] = ()
    faults: tuple[str, ...] = ()
    added: tuple[Addition, ...] = ()

    @property
    def title(self) -> str:
        """Kind and name."""
        return f"{self.object['kind']} {self.object['metadata']['name']}"


async def faults_of(api: KubernetesApi, objects: list[Object]) -> list[str]:
    """Every reason for which the cluster would not accept an object; changes nothing. Raises Broken."""
    return _faults([await _try(api, item, look_for_additions=False) for item in objects])


async def apply(
    api: KubernetesApi,
    objects: list[Object],
    drift: Drift,
    *,
    is_live: bool,
    scaled: str = "",
    again: str = "",
    log: Callable[[str], None],
) -> bool:
    """Apply the objects in this order; False when they are there already, by whichever run, and nothing was changed.

    is_live: whether users get this very release already; then what somebody else has changed is left when it must not be
    corrected. scaled: name of the Deployment that users get, whose number of replicas may change at any time. again: kind and
    name of an object to be applied even if it is there already. Raises Rejected with every fault of every object, Conflict where
    others' fields would have to be changed and must not be, Broken. All of these before anything is changed.
    """
    trials = [await _try(api, item) for item in objects]
    if faults := _faults(trials):
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise Rejected(f"the cluster does not accept the manifests:\n{listing}", advice="correct the app's manifests")
    conflicts = [trial for trial in trials if trial.owners or trial.added]
    if conflicts and drift is Drift.STOP:
        _stop(conflicts, is_live, log)
        return False
    changed = [trial for trial in trials if trial.differs or trial.added or trial.title == again]
    for trial in changed:
        if trial.title == f"Deployment {scaled}":
            trial = await _with_live_replicas(api, trial)
        if trial.title == again:
            trial = replace(trial, object=_annotated(trial.object, names.LEADS_SINCE, datetime.now(UTC).isoformat()))
        await _apply(api, trial, drift, log)
    return any(trial.differs or trial.added for trial in changed)


async def _with_live_replicas(api: KubernetesApi, trial: Trial) -> Trial:
    """The same with the number that is live at this moment: an autoscaler may have written since the situation was read."""
    live = await api.get("Deployment", str(trial.object["metadata"]["name"]))
    if live is None:
        return trial
    chosen = chosen_replicas(live)
    number = int(trial.object["metadata"]["annotations"][names.REPLICAS]) if chosen is None else chosen
    return replace(trial, object={**trial.object, "spec": {**trial.object["spec"], "replicas": number}})


async def _try(api: KubernetesApi, item: Object, *, look_for_additions: bool = True) -> Trial:
    kind, name = str(item["kind"]), str(item["metadata"]["name"])
    owners: tuple[Owner, ...] = ()
    try:
        live = await api.get(kind, name, str(item["apiVersion"]))
        item = _adopting(item, live)
        try:
            after = await api.apply(kind, item, dry_run=True)
        except FieldConflict as error:
            owners = _others(error)
            after = await api.apply(kind, item, force=True, dry_run=True)
    except Invalid as error:
        return Trial(item, faults=error.faults or (error.message,))
    others = await added(api, item, after) if live is not None and look_for_additions else []
    return Trial(item, live is None or bool(compare(live, after, _OF_A_RUN)), owners, added=tuple(others))


def _adopting(item: Object, live: Object | None) -> Object:
    """The object with a note that it was there before the first release, where it was. Raises Conflict."""
    if live is None:
        return item
    refuse_others(item, live)
    metadata = live["metadata"]
    adopted = names.ADOPTED in (metadata.get("annotations") or {})
    if app_of(live) and not adopted:
        return item
    return _annotated(item, names.ADOPTED, "true")


def _annotated(item: Object, key: str, value: str) -> Object:
    annotations = {**(item["metadata"].get("annotations") or {}), key: value}
    return {**item, "metadata": {**item["metadata"], "annotations": annotations}}


async def _apply(api: KubernetesApi, trial: Trial, drift: Drift, log: Callable[[str], None]) -> None:
    kind = str(trial.object["kind"])
    if trial.added:
        await _take_over(api, trial, log)
    try:
        await api.apply(kind, trial.object)
    except FieldConflict as error:
        others = _others(error)
        if others and drift is Drift.STOP:
            raise
        await api.apply(kind, trial.object, force=True)
        for owner in others:
            log(f"{trial.title}: took {owner.field} over from {owner.manager}")


def _others(error: FieldConflict) -> tuple[Owner, ...]:
    return tuple(owner for owner in error.owners if owner.field != _REPLICAS)


async def _take_over(api: KubernetesApi, trial: Trial, log: Callable[[str], None]) -> None:
    """Become the owner of what others have added, so that the apply that follows removes it."""
    kind, name, version = str(trial.object["kind"]), str(trial.object["metadata"]["name"]), str(trial.object["apiVersion"])
    for tries_left in reversed(range(_TRIES)):
        live = await api.get(kind, name, version)
        if live is not None and not any(map(is_our_entry, live["metadata"].get("managedFields") or [])):
            # Only what was applied once has an entry of ours that can be added to.
            await api.apply(kind, trial.object, force=True)
            live = await api.get(kind, name, version)
        if live is None:
            return
        try:
            await api.own(live, owned_by_us(live, trial.added))
            break
        except Conflict:
            # A controller wrote to it between the two.
            if not tries_left:
                raise
            await asyncio.sleep(_AGAIN_SECONDS)
    for one in trial.added:
        log(f"{trial.title}: removed {one.path}, which {one.manager} had added")


def _faults(trials: list[Trial]) -> list[str]:
    return [f"{trial.title}: {fault}" for trial in trials for fault in trial.faults]


def _stop(conflicts: list[Trial], is_live: bool, log: Callable[[str], None]) -> None:
    found = [f"{trial.title}: {owner.field} was changed by {owner.manager}" for trial in conflicts for owner in trial.owners]
    found += [f"{trial.title}: {one.path} was added by {one.manager}" for trial in conflicts for one in trial.added]
    if is_live:
        for sentence in found:
            log(f"{sentence}; left as it is, for the release runs already")
        return
    listing = "\n".join(f"  - {sentence}" for sentence in found)
    raise Conflict(
        f"somebody else has changed what the release would change:\n{listing}",
        advice='undo these changes by hand, or let the environment correct them (drift = "correct"), then run again',
    )
