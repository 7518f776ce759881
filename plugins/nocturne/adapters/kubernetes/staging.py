"""Carrying out one stage of a release."""

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.api import KubernetesApi, Object
from nocturne.adapters.kubernetes.apply import apply
from nocturne.adapters.kubernetes.rendering import Rendering
from nocturne.adapters.kubernetes.site import Site
from nocturne.adapters.kubernetes.situation import Situation, canary_replicas, runs
from nocturne.adapters.kubernetes.standing import WatchTarget
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Stage


async def apply_stage(site: Site, api: KubernetesApi, desired: DesiredState) -> bool:
    """Ask for the desired stage; False when it was asked for already. Raises Rejected, Conflict, Broken."""
    rendering = site.rendering(desired)
    situation = await site.free_situation(api, rendering)
    slot = situation.slot_for(site.strategy, desired)
    objects = _objects(site, rendering, situation, slot)
    live = situation.live
    changed = await _clear(site, api, rendering, situation, slot)
    is_live = live is not None and runs(live, desired)
    scaled = str(live["metadata"]["name"]) if live else ""
    again = desired.stage is Stage.WHOLE and situation.is_led_by_another(rendering.service_names)
    leading = f"Service {rendering.service}" if again else ""
    return await apply(api, objects, site.drift, is_live=is_live, scaled=scaled, again=leading, log=site.log) or changed


def target(site: Site, desired: DesiredState, situation: Situation, rendering: Rendering) -> WatchTarget:
    """What is to be watched in a stage."""
    base, selector = rendering.objects.name, rendering.match_labels
    if desired.stage is Stage.SHARE:
        name = names.canary_name(base)
        return WatchTarget(name, site.namespace, selector, share=site.strategy.canary.share)
    if desired.stage is Stage.BESIDE:
        return WatchTarget(names.deployment_name(base, situation.slot_for(site.strategy, desired)), site.namespace, selector)
    # Whoever has switched the users elsewhere meanwhile is found out by the Deployment that they get.
    slot = situation.selected or situation.slot_for(site.strategy, desired)
    return WatchTarget(names.deployment_name(base, slot), site.namespace, selector, rendering.service)


def _objects(site: Site, rendering: Rendering, situation: Situation, slot: str) -> list[Object]:
    stage, live = rendering.desired.stage, situation.live
    if stage is Stage.SHARE:
        number = int(live["spec"].get("replicas", 1)) if live else rendering.replicas
        return [*rendering.companions(), rendering.canary(canary_replicas(site.strategy.canary.share, number))]
    replicas = situation.replicas(slot)
    if replicas not in (None, rendering.replicas):
        site.log(f"kept {replicas} replicas, which somebody has chosen, instead of the {rendering.replicas} of the manifests")
    if stage is Stage.BESIDE:
        return [*rendering.companions(), rendering.deployment(slot, replicas)]
    if live is not None and situation.deployments.get(slot) is not live:
        _must_stand(situation, slot, rendering)
    return rendering.whole(slot, replicas)


def _must_stand(situation: Situation, slot: str, rendering: Rendering) -> None:
    beside = situation.deployments.get(slot)
    if beside is None or not runs(beside, rendering.desired):
        name = names.deployment_name(rendering.objects.name, slot)
        raise Broken(
            f"found no Deployment {name} with release {rendering.desired.release_id}, expected it beside the one that users get",
            advice="run again: the release is put beside the live one first",
        )


async def _clear(site: Site, api: KubernetesApi, rendering: Rendering, situation: Situation, slot: str) -> bool:
    """Remove what must not stay, whatever becomes of the apply: a canary of another release keeps its share of the users."""
    changed = False
    stage, canary = rendering.desired.stage, situation.canary
    if canary and (stage is Stage.BESIDE or not runs(canary, rendering.desired)):
        changed |= await _remove(site, api, canary, "the canary")
    for one in situation.in_the_way(rendering.deployment(slot), slot) if stage is not Stage.SHARE else ():
        changed |= await _remove(site, api, one, "left over")
    return changed


async def _remove(site: Site, api: KubernetesApi, deployment: Object, what: str) -> bool:
    name = str(deployment["metadata"]["name"])
    removed = await api.delete("Deployment", name, str(deployment["metadata"]["uid"]))
    if removed:
        site.log(f"removed Deployment {name}, {what} of release {names.release_of(deployment)}")
    return removed
