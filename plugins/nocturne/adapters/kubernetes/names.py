"""Every label and annotation that a release writes, and how its Deployments are called.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
"""

from enum import StrEnum
from typing import Any

from nocturne.ports.cluster import DesiredState

PREFIX = "nocturne.io/"
MANAGED_BY = "app.kubernetes.io/managed-by"
APP = f"{PREFIX}app"
"""Label on every object: the app and environment that it belongs to. What lacks it is not ours, and never removed."""
SLOT = f"{PREFIX}slot"
"""Label on pods, and in every Service's selector: whose pods the users get. Annotation on Services, should a selector lose it."""
TRACK = f"{PREFIX}track"
"""Label on the pods of a canary only."""
CANARY = "canary"
REPLICAS = f"{PREFIX}replicas"
"""Annotation on a Deployment: the number that the manifests asked for last. Another live number is somebody's choice, and kept."""
ADOPTED = f"{PREFIX}adopted"
"""Annotation on an object that was there before the first release: it is somebody else's, and never removed."""
RELEASE = f"{PREFIX}release"
LEADS_SINCE = f"{PREFIX}leads-since"
"""Annotation on a Service that users come through again, after another one had taken its place: a write that shows its age."""
RUN = f"{PREFIX}run"
REQUESTED_BY = f"{PREFIX}requested-by"

_ON_PODS = ("release", "commit", "model")
"""A new run of the same release must not restart a pod, so pods do not know their run."""


class Slot(StrEnum):
    """Which of the Deployments beside each other. The main one has the manifest's own name and selector."""

    MAIN = "main"
    BLUE = "blue"
    GREEN = "green"


def deployment_name(name: str, slot: str) -> str:
    """The name of a slot's Deployment, from the manifest's name."""
    return name if slot == Slot.MAIN else f"{name}-{slot}"


def canary_name(name: str) -> str:
    """The name of the canary's Deployment."""
    return f"{name}-{CANARY}"


def object_labels(app: str) -> dict[str, str]:
    """The labels of every object of an app."""
    return {MANAGED_BY: "nocturne", APP: app}


def object_annotations(desired: DesiredState) -> dict[str, str]:
    """Release, commit, model, run and who, on every object."""
    return {**{f"{PREFIX}{key}": value for key, value in desired.annotations.items()}, RELEASE: desired.release_id}


def pod_annotations(desired: DesiredState) -> dict[str, str]:
    """What pods say of themselves: what they are, and not which run wanted them."""
    wanted = object_annotations(desired)
    return {key: wanted[key] for key in (f"{PREFIX}{name}" for name in _ON_PODS) if key in wanted}


def release_of(live: dict[str, Any]) -> str:
    """The release that an object was applied with, empty when it is not ours."""
    metadata = live["metadata"]
    return str((metadata.get("annotations") or {}).get(RELEASE, "")) if APP in (metadata.get("labels") or {}) else ""


def pod_labels(deployment: dict[str, Any]) -> dict[str, str]:
    """The labels of a Deployment's pods, as its template has them."""
    labels: dict[str, str] = (deployment["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return labels


def slot_of(service: dict[str, Any]) -> str:
    """The slot that a Service selects, or selected before somebody took that out of its selector; empty when it selects none."""
    recorded = (service["metadata"].get("annotations") or {}).get(SLOT, "")
    return str((service["spec"].get("selector") or {}).get(SLOT, recorded))
