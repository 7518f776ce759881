"""Which pods a Deployment has made of what it is asked to run now. Pure: objects as the API describes them."""

from typing import Any

Object = dict[str, Any]


def new_pods(deployment: Object, replica_sets: list[Object], pods: list[Object]) -> list[Object]:
    """The pods of the Deployment's newest ReplicaSet that are not about to go."""
    owner = _new_replica_set(deployment, replica_sets)
    if owner is None:
        return []
    owned = [pod for pod in pods if _owner(pod) == owner["metadata"]["uid"]]
    gone = ("Failed", "Succeeded")  # Evicted, say: others were made in their place.
    return [pod for pod in owned if not pod["metadata"].get("deletionTimestamp") and pod.get("status", {}).get("phase") not in gone]


def _new_replica_set(deployment: Object, replica_sets: list[Object]) -> Object | None:
    """As the Deployment's controller finds it: the oldest of its own with this very template."""
    template = _unhashed(deployment["spec"]["template"])
    uid = deployment["metadata"]["uid"]
    same = [each for each in replica_sets if _owner(each) == uid and _unhashed(each["spec"]["template"]) == template]
    return min(same, key=lambda each: str(each["metadata"]["creationTimestamp"]), default=None)


def _unhashed(template: Object) -> Object:
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if key != "creationTimestamp"}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != "pod-template-hash"}
    return {"metadata": {**metadata, "labels": labels}, "spec": template["spec"]}


def _owner(item: Object) -> str:
    owners = item["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")
