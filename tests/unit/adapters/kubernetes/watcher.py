"""Looks at a Deployment and what belongs to it, judged one after another as a watch does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from nocturne.adapters.kubernetes.rollout import Judgement, Memory, judge
from nocturne.adapters.kubernetes.standing import Look, WatchTarget, stand
from tests.unit.adapters.kubernetes.cluster_objects import DESIRED, OLD_IMAGE, deployment, pod, replica_set

TARGET = WatchTarget("web", "shop", {"app": "web"}, "web")
BESIDE = WatchTarget("web", "shop", {"app": "web"})
START = datetime(2026, 11, 22, 15, 2, tzinfo=UTC)
UP = (pod(1, ready=True), pod(2, ready=True))
UNTOUCHED = deployment(available=0)


def look(described: dict[str, Any] | None, *pods: dict[str, Any], **more: Any) -> Look:
    return Look(described, [replica_set(), replica_set("old", OLD_IMAGE, "r-old")], list(pods), **more)


class Watcher:
    """Looks again and again, as a watch does."""

    def __init__(self, target: WatchTarget = BESIDE) -> None:
        self.target = target
        self.memory = Memory()

    def sees(self, at: float, seen: Look) -> Judgement:
        """at: seconds after the start."""
        now = START + timedelta(seconds=at)
        standing = stand(self.target, DESIRED, seen, now)
        self.memory = self.memory.after(standing, now)
        return judge(self.target, standing, self.memory, now)


def once(seen: Look, target: WatchTarget = BESIDE) -> Judgement:
    return Watcher(target).sees(0, seen)
