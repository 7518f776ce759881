"""How long what hinders a rollout may last, and whether the release is to blame for it."""

import pytest

from nocturne.adapters.kubernetes.standing import Look
from nocturne.ports.cluster import Phase
from tests.unit.adapters.kubernetes.cluster_objects import (
    deployment,
    over_quota,
    overdue,
    pod,
    running,
    unscheduled,
    waiting,
    warning,
)
from tests.unit.adapters.kubernetes.watcher import UNTOUCHED, UP, Watcher, look, once

PULLING = pod(1, state=waiting("ErrImagePull", "connection refused"), phase="Pending")


@pytest.mark.parametrize("seen", [look(UNTOUCHED, PULLING), look(deployment(updated=1, conditions=(over_quota(),)), UP[0])])
def test_patience(seen: Look) -> None:
    """An image that cannot be pulled or a used-up quota has a minute, then it has failed without being to blame."""
    watcher = Watcher()
    first = watcher.sees(0, seen)
    assert (first.rollout.phase, first.again) == (Phase.PROGRESSING, 60)
    assert watcher.sees(59, seen).rollout == first.rollout
    last = watcher.sees(60, seen).rollout
    assert (last.phase, last.blameless) == (Phase.FAILED, True)
    assert last.message.endswith("; for 60 s now")


def test_progress_renews_patience() -> None:
    """As long as something moves, a hindrance is not held against the rollout."""
    watcher = Watcher()
    watcher.sees(0, look(UNTOUCHED, PULLING))
    watcher.sees(50, look(UNTOUCHED, PULLING, UP[1]))
    assert watcher.sees(100, look(UNTOUCHED, PULLING, UP[1])).rollout.phase is Phase.PROGRESSING
    assert watcher.sees(110, look(UNTOUCHED, PULLING, UP[1])).rollout.phase is Phase.FAILED


def test_hindrance_that_went_away() -> None:
    """Patience begins anew with each hindrance."""
    watcher = Watcher()
    watcher.sees(0, look(UNTOUCHED, PULLING))
    watcher.sees(30, look(UNTOUCHED, pod(1, state=waiting("ContainerCreating"), phase="Pending")))
    assert watcher.sees(65, look(UNTOUCHED, PULLING)).rollout.phase is Phase.PROGRESSING


def test_overdue() -> None:
    """The Deployment's own deadline counts when it stands for five seconds: one of an earlier try may just not be gone yet."""
    told = warning(pod(1), "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    old = running("2026-11-22T14:51:00Z")
    late = look(deployment(available=0, conditions=(overdue(),)), pod(1, state=old), pod(2, state=old), warnings=[told])
    watcher = Watcher()
    assert watcher.sees(0, late).again == 5
    assert watcher.sees(4, late).rollout.phase is Phase.PROGRESSING
    judgement = watcher.sees(5, late)
    assert (judgement.rollout.phase, judgement.rollout.blameless) == (Phase.FAILED, False)
    assert "no progress within its progressDeadlineSeconds: pod web-new-1: Readiness probe failed" in judgement.rollout.message
    assert judgement.trouble is not None
    assert judgement.trouble.container == "web"


def test_overdue_from_an_earlier_try() -> None:
    """A condition that goes while its time runs has failed nothing."""
    watcher = Watcher()
    watcher.sees(0, look(deployment(available=0, conditions=(overdue(),))))
    assert watcher.sees(6, look(UNTOUCHED, pod(1))).rollout.phase is Phase.PROGRESSING


def test_overdue_before_it_could_start() -> None:
    """What kept pods from starting is gone: until they have had as long as the Deployment gives, its passed deadline is stale."""
    conditions = (overdue(),)
    begun = pod(1, state=running("2026-11-22T15:01:58Z"), made="2026-11-22T14:00:00Z")
    probed = warning(begun, "Unhealthy", "Startup probe failed: connection refused")
    stuck = pod(
        2, state=waiting("CreateContainerConfigError", 'secret "key" not found'), made="2026-11-22T14:00:00Z", phase="Pending"
    )
    watcher, stale = Watcher(), deployment(available=0, conditions=conditions)
    first = watcher.sees(0, look(stale, begun, stuck))
    assert (first.rollout.phase, first.rollout.blameless, first.again) == (Phase.PROGRESSING, True, 598)
    assert watcher.sees(300, look(stale, begun, stuck, warnings=[probed])).rollout.phase is Phase.PROGRESSING
    assert watcher.sees(597, look(stale, begun)).rollout.phase is Phase.PROGRESSING
    watcher.sees(598, look(stale, begun))
    last = watcher.sees(603, look(stale, begun)).rollout
    assert (last.phase, last.blameless) == (Phase.FAILED, False)
    assert "container web runs and is not ready yet" in last.message


def test_overdue_before_a_node_came() -> None:
    """A pod that a node has taken only now has its time before it, too."""
    taken = pod(1, state=waiting("ContainerCreating"), made="2026-11-22T15:01:58Z", phase="Pending")
    late = deployment(available=0, conditions=(overdue(),))
    late["spec"]["progressDeadlineSeconds"] = 30
    watcher = Watcher()
    assert watcher.sees(0, look(late, taken)).again == 28
    assert watcher.sees(27, look(late, taken)).rollout.phase is Phase.PROGRESSING
    watcher.sees(28, look(late, taken))
    assert watcher.sees(33, look(late, taken)).rollout.phase is Phase.FAILED


def test_no_room() -> None:
    """Pods that no node takes wait until the deadline, for a node may come; then the release is not to blame."""
    watcher, seen = Watcher(), look(UNTOUCHED, unscheduled(1), unscheduled(2))
    rollout = watcher.sees(0, seen).rollout
    assert (rollout.phase, rollout.blameless) == (Phase.PROGRESSING, True)
    assert rollout.message.endswith(
        "pod web-new-1: no node takes it: 0/1 nodes are available: 1 Insufficient cpu. (and 1 more like it)"
    )
    assert watcher.sees(500, seen).rollout == rollout
    late = look(deployment(available=0, conditions=(overdue(),)), unscheduled(1))
    watcher.sees(600, late)
    assert watcher.sees(605, late).rollout.blameless


def test_blamed_with_others() -> None:
    """One pod whose own code fails its probe is enough to blame the release; one that only starts is not."""
    told = warning(pod(2), "Unhealthy", "Readiness probe failed")
    assert once(look(UNTOUCHED, unscheduled(1), pod(2))).rollout.blameless
    assert not once(look(UNTOUCHED, unscheduled(1), pod(2), warnings=[told])).rollout.blameless
