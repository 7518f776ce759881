"""How a rollout stands, judged from where it stands and what earlier looks have shown. Nothing here talks to a cluster.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nocturne.adapters.kubernetes.standing import Standing, WatchTarget, most_addresses
from nocturne.adapters.kubernetes.trouble import Cause, Trouble
from nocturne.ports.cluster import Phase, Rollout

MOST_RESTARTS = 3
"""Kubernetes starts a crashed container again without end; so many restarts of one are final."""
MOST_FLAPS = 3
"""How often a pod may stop being ready while the rollout is under way."""
_OVERDUE = "overdue"
PATIENCE = {
    # A registry or a quota may be put right meanwhile; without progress for so long, nobody is doing that.
    Cause.IMAGE_PULL.value: timedelta(seconds=60),
    Cause.QUOTA.value: timedelta(seconds=60),
    Cause.REFUSED.value: timedelta(seconds=60),
    # The condition of an earlier try may still stand there right after an apply.
    _OVERDUE: timedelta(seconds=5),
}
"""How long each may last without any progress before the rollout has failed."""


@dataclass(frozen=True)
class Memory:
    """What earlier looks have shown, by this watcher. since: when each kind of hindrance began, or the last progress came.

    began, counts: how often each container had been started again when the rollout began, and by now.
    """

    ready: frozenset[str] = frozenset()
    flaps: Mapping[str, int] = field(default_factory=dict)
    numbers: tuple[int, ...] = ()
    since: Mapping[str, datetime] = field(default_factory=dict)
    began: Mapping[tuple[str, str], int] = field(default_factory=dict)
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def after(self, standing: Standing, now: datetime) -> "Memory":
        """The memory with one more look in it."""
        lost = (self.ready - standing.ready) & standing.known
        flaps = {uid: self.flaps.get(uid, 0) + (uid in lost) for uid in standing.known}
        numbers = _numbers(standing)
        since = self.since if numbers == self.numbers else {}
        hindrances = {kind: since.get(kind, now) for kind in _hindrances(standing)}
        # A pod that is older than the rollout may have been restarted with its node, long ago or just before.
        first = {key: 0 if key[0] in standing.young else count for key, count in standing.counts.items()}
        began = {key: self.began.get(key, count) for key, count in first.items()}
        return Memory(standing.ready, flaps, numbers, hindrances, began, standing.counts)

    @property
    def most_flaps(self) -> int:
        """How often the worst pod has stopped being ready."""
        return max(self.flaps.values(), default=0)

    @property
    def most_restarts(self) -> int:
        """How often the worst container was started again in this rollout."""
        return max((count - self.began[key] for key, count in self.counts.items()), default=0)


@dataclass(frozen=True)
class Judgement:
    """trouble: whose container's last words explain what is told. again: seconds until it may differ though nothing changes."""

    rollout: Rollout
    trouble: Trouble | None = None
    again: float | None = None


def judge(target: WatchTarget, standing: Standing, memory: Memory, now: datetime) -> Judgement:
    """Say how a rollout stands. memory: with this look in it."""
    worst = standing.worst
    if worst and worst.cause in (Cause.CRASH_LOOP, Cause.IMAGE_NAME):
        return _failed(standing, memory, str(worst), worst)
    if memory.most_restarts >= MOST_RESTARTS:
        ended = standing.restarted
        why = f"a container ends again and again, {memory.most_restarts} times by now{f': {ended}' if ended else ''}"
        return _failed(standing, memory, why, ended)
    if memory.most_flaps >= MOST_FLAPS:
        return _failed(standing, memory, f"a pod stopped being ready {memory.most_flaps} times", worst)
    if _is_complete(target, standing):
        beside = f", beside {standing.beside} of the live release" if target.share < 1 else ""
        ended = standing.restarted if memory.most_restarts else None
        once = f"; before that, {ended}" if ended else ""
        return Judgement(_rollout(Phase.COMPLETE, standing, f"{_replicas(standing)}{beside}{once}"), ended)
    left = {kind: (begun + PATIENCE[kind] - now).total_seconds() for kind, begun in memory.since.items()}
    over = sorted(kind for kind, seconds in left.items() if seconds <= 0)
    if over:
        return _failed(standing, memory, _out_of_patience(over, standing, worst), worst)
    rollout = _rollout(Phase.PROGRESSING, standing, _progress(target, standing), blameless=_is_blameless(standing, memory))
    later = [(standing.overdue_at - now).total_seconds()] if standing.overdue_at else []
    # Its last words are wanted now: where the deadline of the whole rollout comes first, this look is the last one.
    ended = worst if worst and worst.has_ended else None
    return Judgement(rollout, ended, min([*left.values(), *later], default=None))


def _is_complete(target: WatchTarget, standing: Standing) -> bool:
    wanted = standing.wanted
    replaced = standing.updated == standing.available == standing.total == wanted and len(standing.ready) >= wanted
    served = target.service is None or (standing.addresses >= most_addresses(wanted) and not standing.elsewhere)
    return standing.observed and replaced and served and wanted > 0


def _is_blameless(standing: Standing, memory: Memory) -> bool:
    excused = all(trouble.cause.blameless or trouble.usual for trouble in standing.hindrances)
    return excused and not memory.most_restarts and not memory.most_flaps


def _failed(standing: Standing, memory: Memory, why: str, trouble: Trouble | None) -> Judgement:
    message = f"{_replicas(standing)}: {why}"
    return Judgement(_rollout(Phase.FAILED, standing, message, blameless=_is_blameless(standing, memory)), trouble)


def _out_of_patience(over: Iterable[str], standing: Standing, worst: Trouble | None) -> str:
    named = [trouble for trouble in (worst, standing.creation, *standing.troubles) if trouble and trouble.cause in over]
    if named:
        return f"{named[0]}{_others(named[0], standing)}; for {PATIENCE[named[0].cause].total_seconds():.0f} s now"
    return f"no progress within its progressDeadlineSeconds{f': {worst}' if worst else ''}"


def _progress(target: WatchTarget, standing: Standing) -> str:
    if not standing.observed:
        return f"{_replicas(standing)}; the cluster has not taken note of the change yet"
    if standing.paused:
        return f"{_replicas(standing)}; somebody has paused the Deployment (kubectl rollout resume ends that)"
    if not standing.wanted:
        return "0 replicas are asked for: somebody has scaled the Deployment to 0"
    worst = standing.worst
    if worst and not worst.usual:
        return f"{_replicas(standing)}; {worst}{_others(worst, standing)}"
    if target.service and len(standing.ready) >= standing.wanted and not standing.leaving:
        known = f"Service {target.service} has {standing.addresses - standing.elsewhere} of their addresses"
        return f"{_replicas(standing)}; {known}{f', and {standing.elsewhere} of another release' if standing.elsewhere else ''}"
    return _replicas(standing)


def _others(trouble: Trouble, standing: Standing) -> str:
    count = sum(other.cause is trouble.cause for other in standing.troubles) - 1
    return f" (and {count} more like it)" if trouble.pod and count > 0 else ""


def _replicas(standing: Standing) -> str:
    ready = f"{_ready(standing)} of {standing.wanted} replicas ready"
    return f"{ready}, {standing.leaving} of the previous release still running" if standing.leaving else ready


def _rollout(phase: Phase, standing: Standing, message: str, *, blameless: bool = False) -> Rollout:
    return Rollout(phase, _ready(standing), standing.wanted, message, blameless=blameless, restarts=standing.restarts)


def _ready(standing: Standing) -> int:
    return min(len(standing.ready), standing.wanted)


def _numbers(standing: Standing) -> tuple[int, ...]:
    return (standing.wanted, standing.updated, standing.available, standing.total, len(standing.ready), len(standing.known))


def _hindrances(standing: Standing) -> set[str]:
    found = {trouble.cause.value for trouble in standing.hindrances if trouble.cause.value in PATIENCE}
    return found | ({_OVERDUE} if standing.overdue and standing.observed else set())
