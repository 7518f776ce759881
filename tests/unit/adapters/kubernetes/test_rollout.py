"""How far a rollout is, judged from looks at a Deployment and what belongs to it."""

from typing import Any

import pytest

from nocturne.adapters.kubernetes.standing import Look, WatchTarget
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Phase
from tests.unit.adapters.kubernetes.cluster_objects import OLD_IMAGE, deployment, endpoints, pod, replica_set
from tests.unit.adapters.kubernetes.watcher import TARGET, UP, look, once


def test_complete() -> None:
    """All replicas new and available, nothing else running and the Service's addresses theirs: that is complete."""
    rollout = once(look(deployment(), *UP, endpoints=endpoints(*UP)), TARGET).rollout
    assert (rollout.phase, rollout.ready, rollout.wanted) == (Phase.COMPLETE, 2, 2)
    assert (rollout.message, rollout.seen, rollout.blameless) == ("2 of 2 replicas ready", True, False)


def test_complete_beside() -> None:
    """Where no user is sent to it yet, addresses are not asked for; of a share, both sides are counted."""
    assert once(look(deployment(), *UP)).rollout.phase is Phase.COMPLETE
    canary, live = WatchTarget("web", "shop", {}, share=0.2), pod(1, ready=True, of="old", release="r-old")
    gone = pod(2, of="old", release="r-old")
    seen = once(look(deployment(), *UP, live, gone), canary)
    assert seen.rollout.message == "2 of 2 replicas ready, beside 1 of the live release"


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (look(deployment(observed=6), *UP), "2 of 2 replicas ready; the cluster has not taken note of the change yet"),
        (
            look(deployment(updated=1, available=2, total=3), UP[0]),
            "1 of 2 replicas ready, 2 of the previous release still running",
        ),
        (look(deployment(total=3), *UP), "2 of 2 replicas ready, 1 of the previous release still running"),
        (look(deployment(available=1), *UP), "2 of 2 replicas ready"),
        (look(deployment(), UP[0]), "1 of 2 replicas ready"),
        (look(deployment(updated=0, available=0)), "0 of 2 replicas ready"),
        (look(deployment(updated=1, paused=True), UP[0]), "1 of 2 replicas ready; somebody has paused the Deployment"),
        (look(deployment(replicas=0, updated=0, available=0)), "0 replicas are asked for: somebody has scaled the Deployment to 0"),
    ],
)
def test_progressing(seen: Look, message: str) -> None:
    """While one of the conditions is not met the rollout goes on, and the message says which."""
    rollout = once(seen).rollout
    assert rollout.phase is Phase.PROGRESSING
    assert rollout.message.startswith(message)
    assert rollout.blameless


@pytest.mark.parametrize(
    ("addresses", "message"),
    [
        (endpoints(), "Service web has 0 of their addresses"),
        (None, "Service web has 0 of their addresses"),
        (endpoints(UP[0]), "Service web has 1 of their addresses"),
        (endpoints(*UP, pod(1, of="old", release="r-old")), "Service web has 2 of their addresses, and 1 of another release"),
    ],
)
def test_users_elsewhere(addresses: dict[str, Any] | None, message: str) -> None:
    """It is not complete before the Service sends all users to all new pods, and to no others."""
    rollout = once(look(deployment(), *UP, endpoints=addresses), TARGET).rollout
    assert (rollout.phase, rollout.message) == (Phase.PROGRESSING, f"2 of 2 replicas ready; {message}")


def test_canary_of_the_same_release() -> None:
    """Users who still get the canary of this very release get this release."""
    canary = pod(1, ready=True, of="canary")
    assert once(look(deployment(), *UP, canary, endpoints=endpoints(*UP, canary)), TARGET).rollout.phase is Phase.COMPLETE


def test_pods_of_others() -> None:
    """Only pods of the newest ReplicaSet that are there to stay count as ready."""
    leaving = pod(2, ready=True)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-22T15:02:00Z"
    evicted = pod(3, phase="Failed")
    rollout = once(look(deployment(updated=1), UP[0], leaving, evicted, pod(1, ready=True, of="old"))).rollout
    assert rollout.ready == 1


def test_replica_set_of_another_deployment() -> None:
    """A ReplicaSet with the same template counts only when this Deployment owns it."""
    seen = Look(deployment(), [replica_set(owner="deployment-2")], list(UP))
    assert once(seen).rollout.ready == 0


def test_gone() -> None:
    """A Deployment that somebody has deleted ends the watch."""
    with pytest.raises(Broken, match="found no Deployment web in namespace shop, expected it to run r-new"):
        once(look(None))


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (deployment(release="r-else"), r"asked to run release r-else \(by run night-7, requested by ada\), expected release r-new"),
        (deployment(image=OLD_IMAGE), "asked to run image localhost:5000/web@sha256:222.*expected localhost:5000/web@sha256:111"),
    ],
)
def test_somebody_deployed_meanwhile(described: dict[str, Any], message: str) -> None:
    """Another release, or another image under the release's name, is nobody's verdict on this one."""
    with pytest.raises(Broken, match=message):
        once(look(described, *UP))
