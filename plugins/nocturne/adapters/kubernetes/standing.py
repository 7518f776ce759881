"""What one look at a Deployment and its pods comes to, in numbers. Pure: objects as the API describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.new_pods import new_pods
from nocturne.adapters.kubernetes.trouble import (
    Trouble,
    container_statuses,
    creation_trouble,
    gravest,
    is_ready,
    pod_trouble,
    restart_trouble,
)
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState

Object = dict[str, Any]

_YOUNG = timedelta(minutes=10)
"""A younger pod has been made by this rollout; it is also how long a container has to run until the kubelet forgets its crashes."""
_PROGRESS_SECONDS = 600
"""The progressDeadlineSeconds of a Deployment that names none. Source: pkg/apis/apps/v1/defaults.go of Kubernetes."""
_MOST_ADDRESSES = 1000
"""An Endpoints object lists no more. Source: https://kubernetes.io/docs/concepts/services-networking/service/#over-capacity-endpoints"""

_WHO = (("by run", names.RUN), ("requested by", names.REQUESTED_BY))


@dataclass(frozen=True)
class WatchTarget:
    """What is to be watched. selector: labels of the Deployment's pods and ReplicaSets, and of those that its Service may send
    users to beside them. service: whose addresses must be the new pods, None where no user is sent to them yet. share: of the
    users that this Deployment gets.
    """

    deployment: str
    namespace: str
    selector: Mapping[str, str]
    service: str | None = None
    share: float = 1.0


@dataclass(frozen=True)
class Look:
    """One look at the cluster: objects as the API describes them. endpoints: of the Service, warnings: events of type Warning."""

    deployment: Object | None
    replica_sets: list[Object] = field(default_factory=list)
    pods: list[Object] = field(default_factory=list)
    endpoints: Object | None = None
    warnings: list[Object] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """Where a rollout stands. Numbers are of replicas.

    observed: whether the cluster has taken note of the last change. leaving: of the previous release. addresses: that users are
    sent to; elsewhere: those among them of another release. beside: ready pods of another Deployment in the same slot. counts: how
    often each container was started again, by its pod's uid and its name. restarted: how the container that this has happened to
    most has ended. ready, known, young: uids of pods. overdue: whether the Deployment's progressDeadlineSeconds have passed, and
    nothing has started since. overdue_at: when what has started since will have taken as long.
    """

    wanted: int
    observed: bool
    updated: int
    available: int
    total: int
    ready: frozenset[str]
    known: frozenset[str]
    troubles: tuple[Trouble, ...]
    creation: Trouble | None
    addresses: int
    elsewhere: int
    beside: int
    young: frozenset[str]
    counts: Mapping[tuple[str, str], int]
    restarted: Trouble | None
    paused: bool
    overdue: bool
    overdue_at: datetime | None

    @property
    def restarts(self) -> int:
        """How often containers were started again, all together."""
        return sum(self.counts.values())

    @property
    def leaving(self) -> int:
        """Replicas of the previous release that still run."""
        return max(self.total - self.updated, 0)

    @property
    def hindrances(self) -> list[Trouble]:
        """What keeps pods from being ready, and from being made at all."""
        return [*self.troubles, *([self.creation] if self.creation else [])]

    @property
    def worst(self) -> Trouble | None:
        """What to tell first."""
        return gravest(self.hindrances)


def stand(target: WatchTarget, desired: DesiredState, look: Look, now: datetime) -> Standing:
    """Where it stands. Raises Broken when the Deployment is gone, or is asked to run something else by now."""
    deployment = _asked_for(target, desired, look.deployment)
    spec, status = deployment["spec"], deployment.get("status") or {}
    mine = new_pods(deployment, look.replica_sets, look.pods)
    own = {pod["metadata"]["uid"] for pod in look.pods if _is_of(pod, desired)} | {pod["metadata"]["uid"] for pod in mine}
    addresses = _addresses(look.endpoints)
    limit = timedelta(seconds=int(spec.get("progressDeadlineSeconds") or _PROGRESS_SECONDS))
    troubles = tuple(_at_its_age(trouble, now - limit) for pod in mine if (trouble := pod_trouble(pod, look.warnings)))
    late = _is_overdue(status)
    starting = _starting(troubles, now - limit) if late else []
    return Standing(
        wanted=int(spec.get("replicas", 1)),
        observed=int(status.get("observedGeneration", 0)) >= int(deployment["metadata"].get("generation", 0)),
        updated=int(status.get("updatedReplicas", 0)),
        available=int(status.get("availableReplicas", 0)),
        total=int(status.get("replicas", 0)),
        ready=frozenset(pod["metadata"]["uid"] for pod in mine if is_ready(pod)),
        known=frozenset(pod["metadata"]["uid"] for pod in mine),
        troubles=troubles,
        creation=creation_trouble(deployment),
        addresses=len(addresses),
        elsewhere=sum(uid not in own for uid in addresses),
        beside=sum(is_ready(pod) and _is_beside(pod, mine) for pod in look.pods),
        young=frozenset(pod["metadata"]["uid"] for pod in mine if _made(pod) > now - _YOUNG),
        counts={key: count for pod in mine for key, count in _counts(pod).items()},
        restarted=restart_trouble(max(mine, key=lambda pod: max(_counts(pod).values(), default=0))) if mine else None,
        paused=bool(spec.get("paused")),
        overdue=late and not starting,
        overdue_at=min(starting) + limit if starting else None,
    )


def most_addresses(wanted: int) -> int:
    """How many of so many replicas an Endpoints object can list."""
    return min(wanted, _MOST_ADDRESSES)


def _asked_for(target: WatchTarget, desired: DesiredState, deployment: Object | None) -> Object:
    where = f"Deployment {target.deployment} in namespace {target.namespace}"
    if deployment is None:
        raise Broken(f"found no {where}, expected it to run {desired.release_id}", advice="see who has deleted it, then run again")
    annotations = deployment["metadata"].get("annotations") or {}
    release, images = annotations.get(names.RELEASE), _images(deployment)
    if release == desired.release_id and desired.image in images:
        return deployment
    found = f"release {release}" if release != desired.release_id else f"image {', '.join(images)}"
    expected = f"release {desired.release_id}" if release != desired.release_id else desired.image
    who = ", ".join(f"{key} {annotations[name]}" for key, name in _WHO if name in annotations) or "nobody known to us"
    raise Broken(
        f"found {where} asked to run {found} ({who}), expected {expected}: somebody deployed meanwhile",
        advice="find out who, in the Deployment's annotations and managedFields, then run again",
    )


def _images(deployment: Object) -> list[str]:
    spec = deployment["spec"]["template"]["spec"]
    return [str(container["image"]) for container in [*spec["containers"], *(spec.get("initContainers") or [])]]


def _is_of(pod: Object, desired: DesiredState) -> bool:
    # The pods of a canary of the same release take users' requests beside the Deployment's own.
    return bool((pod["metadata"].get("annotations") or {}).get(names.RELEASE) == desired.release_id)


def _addresses(endpoints: Object | None) -> list[str]:
    subsets = (endpoints or {}).get("subsets") or []
    return [str((address.get("targetRef") or {}).get("uid", "")) for subset in subsets for address in subset.get("addresses") or []]


def _counts(pod: Object) -> dict[tuple[str, str], int]:
    uid = str(pod["metadata"]["uid"])
    return {(uid, str(status["name"])): int(status.get("restartCount", 0)) for status in container_statuses(pod)}


def _made(pod: Object) -> datetime:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


def _is_beside(pod: Object, mine: list[Object]) -> bool:
    others = all(each["metadata"]["uid"] != pod["metadata"]["uid"] for each in mine)
    return others and _slot(pod) in {_slot(each) for each in mine}


def _slot(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(names.SLOT, ""))


def _at_its_age(trouble: Trouble, limit: datetime) -> Trouble:
    """What a healthy pod goes through as well is usual no more when it lasts as long as a whole rollout may."""
    aged = trouble.usual and trouble.began and datetime.fromisoformat(trouble.began) <= limit
    return replace(trouble, usual=False) if aged else trouble


def _starting(troubles: tuple[Trouble, ...], limit: datetime) -> list[datetime]:
    """When pods have begun that the passed deadline says nothing of, for what was in their way went away since."""
    young = {one: at for one in troubles if one.began and (at := datetime.fromisoformat(one.began)) > limit}
    return list(young.values()) if all(one in young or one.cause.blameless for one in troubles) else []


def _is_overdue(status: Object) -> bool:
    conditions = status.get("conditions") or []
    return any(
        condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded" for condition in conditions
    )
