"""Where a release goes, from what runs there now."""

from typing import Any

import pytest

from nocturne.adapters.kubernetes.situation import Situation, canary_replicas, sorted_out
from nocturne.domain.errors import Broken
from nocturne.domain.strategy import Strategy, StrategyKind
from nocturne.ports.cluster import DesiredState, Side, Stage

ROLLING, BLUE_GREEN, CANARY = (Strategy(kind) for kind in StrategyKind)
NEW = DesiredState("r-2", "app@sha256:2", {}, {})
OLD = DesiredState("r-1", "app@sha256:1", {}, {})


OURS = [{"manager": "nocturne", "operation": "Apply", "time": "2026-11-22T15:00:00Z"}]


def service(slot: str = "") -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "labels": {"nocturne.io/app": "web"}, "managedFields": OURS},
        "spec": {"selector": {"app": "web", **({"nocturne.io/slot": slot} if slot else {})}},
    }


def running(
    slot: str, desired: DesiredState, replicas: int = 2, recorded: str = "2", track: str = "", made: str = "2026"
) -> dict[str, Any]:
    labels = {"nocturne.io/slot": slot, **({"nocturne.io/track": track} if track else {})}
    metadata = {
        "name": f"web-{slot}{track}",
        "labels": {"nocturne.io/app": "web"},
        "annotations": {"nocturne.io/release": desired.release_id, "nocturne.io/replicas": recorded},
        "creationTimestamp": made,
        "managedFields": OURS,
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"image": desired.image}]}}
    return {"metadata": metadata, "spec": {"replicas": replicas, "template": template}}


def by_hand() -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": "app:latest"}]}}
    return {"metadata": {"name": "web"}, "spec": {"replicas": 3, "template": template}}


def situation(slot: str | None, *deployments: dict[str, Any]) -> Situation:
    return sorted_out("web", [] if slot is None else [service(slot)], list(deployments))


@pytest.mark.parametrize(
    ("strategy", "found", "expected"),
    [
        (ROLLING, situation(None), Stage.WHOLE),
        (BLUE_GREEN, situation(None), Stage.WHOLE),
        (CANARY, situation("main"), Stage.WHOLE),
        (ROLLING, situation("main", running("main", OLD)), Stage.WHOLE),
        (BLUE_GREEN, situation("main", running("main", OLD)), Stage.BESIDE),
        (BLUE_GREEN, situation("blue", running("blue", OLD)), Stage.BESIDE),
        (CANARY, situation("main", running("main", OLD)), Stage.SHARE),
        # The strategy was changed.
        (ROLLING, situation("green", running("green", OLD)), Stage.BESIDE),
        (CANARY, situation("green", running("green", OLD)), Stage.BESIDE),
        # Users get it already.
        (BLUE_GREEN, situation("blue", running("blue", NEW), running("green", OLD)), Stage.WHOLE),
        (CANARY, situation("main", running("main", NEW)), Stage.WHOLE),
        (ROLLING, situation("green", running("green", NEW)), Stage.WHOLE),
    ],
)
def test_first_stage(strategy: Strategy, found: Situation, expected: Stage) -> None:
    """A rollout begins beside what users get, unless that is the release already, or nothing, or is replaced bit by bit."""
    assert found.first_stage(strategy, NEW) == expected


@pytest.mark.parametrize(
    ("strategy", "found", "expected"),
    [
        (BLUE_GREEN, situation(None), "blue"),
        (BLUE_GREEN, situation("main", running("main", OLD)), "blue"),
        (BLUE_GREEN, situation("blue", running("blue", OLD)), "green"),
        (BLUE_GREEN, situation("green", running("green", OLD), running("blue", OLD)), "blue"),
        (BLUE_GREEN, situation("blue", running("blue", OLD), running("green", NEW)), "green"),
        (BLUE_GREEN, situation("main", running("main", OLD), running("green", NEW)), "green"),
        (BLUE_GREEN, situation("main", running("main", NEW)), "main"),
        (ROLLING, situation("main", running("main", OLD)), "main"),
        (ROLLING, situation("blue", running("blue", OLD)), "main"),
        (ROLLING, situation("blue", running("blue", NEW)), "blue"),
    ],
)
def test_slot(strategy: Strategy, found: Situation, expected: str) -> None:
    """A release goes where it is already, else to the colour that users do not get, else to the main slot."""
    assert found.slot_for(strategy, NEW) == expected


def test_release_that_users_get() -> None:
    """The release is the selected slot's; a Deployment that is not ours, or not there, is none."""
    assert situation("blue", running("blue", OLD), running("green", NEW)).release == "r-1"
    assert situation("", by_hand()).release == ""
    assert situation("", running("main", OLD)).release == ""
    assert situation("blue", running("green", NEW)).release == ""
    assert situation(None, running("main", OLD)).release == ""


def test_canary_is_no_slot() -> None:
    """A canary is in the main slot and yet not what the release of that slot is read from."""
    found = situation("main", running("main", NEW, track="canary"), running("main", OLD))
    assert found.release == "r-1"
    assert found.canary is not None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (situation(None), None),
        (situation("main", running("main", OLD)), None),
        (situation("main", running("main", OLD, replicas=5)), 5),
        (situation("blue", running("blue", OLD, replicas=0)), 0),
    ],
)
def test_replicas(found: Situation, expected: int | None) -> None:
    """A number of replicas other than the one that was applied is somebody's choice, and goes on to the next release."""
    assert found.replicas("green") == expected


@pytest.mark.parametrize(("share", "live", "expected"), [(0.2, 4, 1), (0.2, 8, 2), (0.5, 3, 3), (0.01, 2, 1), (0.34, 2, 1)])
def test_share_of_replicas(share: float, live: int, expected: int) -> None:
    """The canary's replicas are the share of all of them, and at least one."""
    assert canary_replicas(share, live) == expected


def test_sides() -> None:
    """Each side's pods are told by labels, and the live side's do not include the canary."""
    canary = situation("main", running("main", OLD), running("main", NEW, track="canary"))
    assert canary.selector(Side.NEW) == "nocturne.io/app=web,nocturne.io/track=canary"
    assert canary.selector(Side.LIVE) == "nocturne.io/app=web,nocturne.io/slot=main,nocturne.io/track!=canary"
    beside = situation("blue", running("blue", OLD), running("main", OLD, made="2025"), running("green", NEW))
    assert beside.selector(Side.NEW) == "nocturne.io/app=web,nocturne.io/slot=green,nocturne.io/track!=canary"
    with pytest.raises(Broken, match="found no Deployment of the new side"):
        situation("main", running("main", OLD)).selector(Side.NEW)


def applied(item: dict[str, Any], at: str) -> dict[str, Any]:
    """The same, last applied by a release at a time."""
    entry = {"manager": "nocturne", "operation": "Apply", "time": at}
    return {**item, "metadata": {**item["metadata"], "managedFields": [entry]}}


def test_the_new_side_was_applied_last() -> None:
    """Of a canary that was left over and a slot beside, the new side is what a release was applied to last."""
    canary, beside = running("main", NEW, track="canary"), running("green", NEW)
    late, early = "2026-11-22T16:00:00Z", "2026-11-22T14:00:00Z"
    one = situation("main", running("main", OLD), applied(canary, early), applied(beside, late))
    assert one.selector(Side.NEW) == "nocturne.io/app=web,nocturne.io/slot=green,nocturne.io/track!=canary"
    other = situation("main", running("main", OLD), applied(canary, late), applied(beside, early))
    assert other.selector(Side.NEW) == "nocturne.io/app=web,nocturne.io/track=canary"


def test_copies() -> None:
    """A copy with our labels is not ours; one that has the owners copied too does not outdo what the Service's release made."""
    live = running("main", OLD)
    copy = {**running("main", NEW), "metadata": {**running("main", NEW)["metadata"], "name": "zz-copy", "managedFields": []}}
    assert situation("main", live, copy).release == "r-1"
    door = service("main")
    door["metadata"]["annotations"] = {"nocturne.io/release": "r-1"}
    with_owners = {**copy, "metadata": {**copy["metadata"], "managedFields": OURS}}
    assert sorted_out("web", [door], [with_owners, live]).release == "r-1"


def door(name: str, slot: str, at: str, kind: str = "ClusterIP") -> dict[str, Any]:
    """A Service, last applied at a time."""
    found = applied(service(slot), at)
    return {**found, "metadata": {**found["metadata"], "name": name}, "spec": {**found["spec"], "type": kind}}


def test_which_service() -> None:
    """Of several Services users come through one with an address; one that a release has left behind says nothing any more."""
    late, early = "2026-11-22T16:00:00Z", "2026-11-22T14:00:00Z"
    inner, outer = door("a-internal", "main", late), door("web", "main", early, "LoadBalancer")
    found = sorted_out("web", [inner, outer], [])
    assert found.service is outer
    renamed = sorted_out("web", [door("old", "main", early, "LoadBalancer"), door("new", "blue", late)], [])
    assert renamed.selected == "blue"
    assert sorted_out("web", [{**outer, "metadata": {"name": "web", "labels": {"nocturne.io/app": "web"}}}], []).service is None
