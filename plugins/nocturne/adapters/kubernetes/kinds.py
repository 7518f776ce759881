"""The kinds of objects that the adapter knows: those an app may bring, and those that are only looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """versions: groups of API versions whose objects have the same shape, the newest first; one may stand for another of its
    group. plural: the resource's name in paths and roles. order: in which an app's objects are applied; None: only looked at.
    """

    name: str
    plural: str
    versions: tuple[tuple[str, ...], ...]
    order: int | None = None

    @property
    def group(self) -> str:
        """The API group, empty for the core."""
        return self.versions[0][0].rpartition("/")[0]

    def alternatives(self, version: str = "") -> tuple[str, ...]:
        """The versions that can stand for this one, itself first; all for an empty one, none for one that is not known."""
        if not version:
            return tuple(known for group in self.versions for known in group)
        group = next((group for group in self.versions if version in group), ())
        return tuple(sorted(group, key=lambda known: known != version))


def _one(version: str) -> tuple[tuple[str, ...], ...]:
    return ((version,),)


# What a pod needs comes before it; who sends users to it, or scales it, comes after.
_ALL = (
    Kind("ServiceAccount", "serviceaccounts", _one("v1"), 0),
    Kind("Secret", "secrets", _one("v1"), 1),
    Kind("ConfigMap", "configmaps", _one("v1"), 2),
    Kind("NetworkPolicy", "networkpolicies", _one("networking.k8s.io/v1"), 3),
    Kind("Deployment", "deployments", _one("apps/v1"), 4),
    Kind("Service", "services", _one("v1"), 5),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", (("policy/v1", "policy/v1beta1"),), 6),
    Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        (("autoscaling/v2", "autoscaling/v2beta2"), ("autoscaling/v1",)),
        7,
    ),
    Kind("Ingress", "ingresses", _one("networking.k8s.io/v1"), 8),
    Kind("Pod", "pods", _one("v1")),
    Kind("ReplicaSet", "replicasets", _one("apps/v1")),
    Kind("Event", "events", _one("v1")),
    Kind("Endpoints", "endpoints", _one("v1")),
)

KINDS = {kind.name: kind for kind in _ALL}
"""Every kind by its name. Source: https://kubernetes.io/docs/reference/kubernetes-api/"""

APP_KINDS = tuple(kind.name for kind in _ALL if kind.order is not None and kind.name != "Secret")
"""What an app may bring. No Secret: a release is recorded in the ledger and shown on pages."""
