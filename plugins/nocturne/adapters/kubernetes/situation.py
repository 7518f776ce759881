"""What of an app runs in a namespace, and where its next release goes. Decisions only: objects as the API describes them."""

from dataclasses import dataclass
from typing import Any

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.in_place import can_be_updated, takes
from nocturne.adapters.kubernetes.names import Slot
from nocturne.adapters.kubernetes.ownership import applied_at, is_ours
from nocturne.adapters.kubernetes.public_address import rank
from nocturne.adapters.kubernetes.rendering import Rendering
from nocturne.domain.errors import Broken
from nocturne.domain.strategy import Strategy, StrategyKind
from nocturne.ports.cluster import DesiredState, Side, Stage

Object = dict[str, Any]


@dataclass(frozen=True)
class Situation:
    """All of it is ours: what others have made does not count.

    app: its label. service: the one that users come through, None when there is none. deployments: by their slot. canary: of the
    main slot. in_place: whether what users get can become the next release bit by bit. spare: further Deployments in a slot that
    has one already. services: all of the app's.
    """

    app: str
    service: Object | None
    deployments: dict[str, Object]
    canary: Object | None = None
    in_place: bool = True
    spare: tuple[Object, ...] = ()
    services: tuple[Object, ...] = ()

    @property
    def selected(self) -> str:
        """The slot that users get, empty when there is no Service, or it selects none."""
        return names.slot_of(self.service) if self.service else ""

    @property
    def live(self) -> Object | None:
        """The Deployment that users get."""
        return self.deployments.get(self.selected)

    @property
    def release(self) -> str:
        """The release that users get, empty when there is none."""
        return names.release_of(self.live) if self.live else ""

    def first_stage(self, strategy: Strategy, desired: DesiredState) -> Stage:
        """Where a rollout of a release has to begin."""
        if self.live is None or runs(self.live, desired):
            return Stage.WHOLE
        if strategy.kind is StrategyKind.BLUE_GREEN or self.selected != Slot.MAIN or not self.in_place:
            # The strategy was changed, or names, labels or ports were: users stay where they are until the slot is ready.
            return Stage.BESIDE
        return Stage.SHARE if strategy.kind is StrategyKind.CANARY else Stage.WHOLE

    def slot_for(self, strategy: Strategy, desired: DesiredState) -> str:
        """The slot that a release goes to, or is in. One that users get stays where it is: moving it would restart it."""
        colours = (Slot.BLUE, Slot.GREEN)
        coloured = strategy.kind is StrategyKind.BLUE_GREEN or (self.selected == Slot.MAIN and not self.in_place)
        for slot in (self.selected, *colours) if coloured else (self.selected,):
            if slot in self.deployments and runs(self.deployments[slot], desired):
                return slot
        return next(colour for colour in colours if colour != self.selected) if coloured else Slot.MAIN

    def in_the_way(self, wanted: Object, slot: str) -> list[Object]:
        """Deployments in a slot that users do not get, which cannot become the one that is wanted there."""
        if slot == self.selected:
            return []
        there = [*self.spare, *filter(None, [self.deployments.get(slot)])]
        return [one for one in there if _slot(one) == slot and not takes(one, wanted)]

    def selector(self, side: Side) -> str:
        """The labels of the pods of one side. Raises Broken when it has none."""
        if side is Side.LIVE and self.live:
            return f"{self.users_selector()},{names.TRACK}!={names.CANARY}"
        beside = {slot: one for slot, one in self.deployments.items() if slot != self.selected}
        if side is Side.NEW and (self.canary or beside):
            # Of several, an earlier rollout's may be left: the new one was applied last.
            last = max([*filter(None, [self.canary]), *beside.values()], key=_age)
            own = (
                f"{names.TRACK}={names.CANARY}"
                if last is self.canary
                else f"{names.SLOT}={_slot(last)},{names.TRACK}!={names.CANARY}"
            )
            return f"{names.APP}={self.app},{own}"
        raise Broken(f"found no Deployment of the {side} side, expected one", advice="run again from the start of the rollout")

    def users_selector(self) -> str:
        """The labels of the pods that users get."""
        return f"{names.APP}={self.app},{names.SLOT}={self.selected}"

    def is_led_by_another(self, services: set[str]) -> bool:
        """Whether another Service than these was applied last, and would be taken for the one that users come through."""
        return bool(self.services) and max(self.services, key=_age)["metadata"]["name"] not in services

    def replicas(self, slot: str) -> int | None:
        """The number that somebody has chosen for what users get, None where the manifest's is in force."""
        source = self.live or self.deployments.get(slot)
        return None if source is None else chosen_replicas(source)


def chosen_replicas(deployment: Object) -> int | None:
    """The number that somebody has chosen for a live Deployment, None where the manifest's is in force."""
    live = deployment["spec"].get("replicas", 1)
    recorded = (deployment["metadata"].get("annotations") or {}).get(names.REPLICAS)
    return None if recorded == str(live) else int(live)


def runs(deployment: Object, desired: DesiredState) -> bool:
    """Whether a Deployment is asked to run this very release."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return names.release_of(deployment) == desired.release_id and desired.image in [one.get("image") for one in containers]


def canary_replicas(share: float, live: int) -> int:
    """How many canary replicas beside the live ones get about this share of the users, above 0 and below 1; at least one."""
    return max(1, round(share * live / (1 - share)))


def sorted_out(app: str, services: list[Object], deployments: list[Object], rendering: Rendering | None = None) -> Situation:
    """The situation from Services and Deployments of a namespace. rendering: the release that is to come, or is there."""
    services = [one for one in services if is_ours(one, app) and names.slot_of(one)]
    service = _users_service(services)
    slots: dict[str, Object] = {}
    canary, spare = None, []
    for one in sorted((one for one in deployments if is_ours(one, app)), key=lambda one: _likely(one, service, rendering)):
        if names.pod_labels(one).get(names.TRACK) == names.CANARY:
            canary = one
        elif slots.setdefault(_slot(one), one) is not one:
            spare.append(one)
    selected = names.slot_of(service) if service else ""
    live, leading = slots.get(selected), [one for one in services if names.slot_of(one) == selected]
    in_place = rendering is None or live is None or can_be_updated(live, leading, rendering)
    return Situation(app, service, slots, canary, in_place, tuple(spare), tuple(services))


def _users_service(services: list[Object]) -> Object | None:
    """Of those that select the same slot as the one that was applied last, the first by rank. One that a release has renamed or
    dropped stays until it is retired, and may select another.
    """
    if not services:
        return None
    slot = names.slot_of(max(services, key=_age))
    return min((one for one in services if names.slot_of(one) == slot), key=rank)


def _likely(deployment: Object, service: Object | None, rendering: Rendering | None) -> tuple[bool, bool, str]:
    """Sorts the Deployments of one slot, the one that the app's releases have made first: copies keep labels and owners."""
    named = rendering is not None and deployment["metadata"]["name"] == names.deployment_name(
        rendering.objects.name, _slot(deployment)
    )
    same = service is not None and names.release_of(service) == names.release_of(deployment)
    return not named, not same, str(deployment["metadata"].get("creationTimestamp"))


def _age(item: Object) -> tuple[str, str]:
    return applied_at(item), str(item["metadata"].get("creationTimestamp"))


def _slot(deployment: Object) -> str:
    return names.pod_labels(deployment).get(names.SLOT) or Slot.MAIN
