"""Deployments, pods and events as a real API server described them (Kubernetes 1.20), shortened to what is looked at."""

from typing import Any

from nocturne.ports.cluster import DesiredState

Object = dict[str, Any]

IMAGE = "localhost:5000/web@sha256:" + "1" * 64
OLD_IMAGE = "localhost:5000/web@sha256:" + "2" * 64
DESIRED = DesiredState("r-new", IMAGE, {}, {"run": "night-7"})


def template(image: str = IMAGE, release: str = "r-new") -> Object:
    resources = {"limits": {"memory": "128Mi"}}
    labels = {"app": "web", "nocturne.io/slot": "main"}
    return {
        "metadata": {"labels": labels, "annotations": {"nocturne.io/release": release}, "creationTimestamp": None},
        "spec": {"containers": [{"name": "web", "image": image, "resources": resources}]},
    }


def deployment(
    replicas: int = 2,
    updated: int = 2,
    available: int = 2,
    total: int | None = None,
    *,
    observed: int = 7,
    release: str = "r-new",
    image: str = IMAGE,
    conditions: tuple[Object, ...] = (),
    paused: bool = False,
) -> Object:
    """A Deployment in generation 7. total: with the pods of the previous release."""
    annotations = {"nocturne.io/release": release, "nocturne.io/run": "night-7", "nocturne.io/requested-by": "ada"}
    spec = {"replicas": replicas, "template": template(image, release), **({"paused": True} if paused else {})}
    status = {
        "observedGeneration": observed,
        "updatedReplicas": updated,
        "availableReplicas": available,
        "replicas": updated if total is None else total,
        "conditions": list(conditions),
    }
    return {
        "metadata": {"name": "web", "uid": "deployment-1", "generation": 7, "annotations": annotations},
        "spec": spec,
        "status": status,
    }


def replica_set(
    uid: str = "new", image: str = IMAGE, release: str = "r-new", second: int = 0, owner: str = "deployment-1"
) -> Object:
    described = template(image, release)
    described["metadata"]["labels"]["pod-template-hash"] = uid
    return {
        "metadata": {
            "uid": uid,
            "creationTimestamp": f"2026-11-22T15:01:{second:02}Z",
            "ownerReferences": [{"kind": "Deployment", "uid": owner, "controller": True}],
        },
        "spec": {"template": described},
    }


def pod(
    number: int = 1,
    *,
    ready: bool = False,
    state: Object | None = None,
    last: Object | None = None,
    restarts: int = 0,
    of: str = "new",
    release: str = "r-new",
    image: str = IMAGE,
    phase: str = "Running",
    made: str = "2026-11-22T15:01:05Z",
) -> Object:
    """A pod of a ReplicaSet. state, last: of its container, running where nothing is said. made: the pod, and taken by a node."""
    container = {
        "name": "web",
        "image": image,
        "ready": ready,
        "restartCount": restarts,
        "state": state or {"running": {"startedAt": "2026-11-22T15:01:08Z"}},
        "lastState": {"terminated": last} if last else {},
    }
    taken = {"type": "PodScheduled", "status": "True", "lastTransitionTime": made}
    conditions = [taken, {"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {
            "name": f"web-{of}-{number}",
            "uid": f"{of}-{number}",
            "creationTimestamp": made,
            "labels": {"app": "web", "nocturne.io/slot": "main"},
            "annotations": {"nocturne.io/release": release},
            "ownerReferences": [{"kind": "ReplicaSet", "uid": of, "controller": True}],
        },
        "spec": template(image)["spec"],
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [container]},
    }


def waiting(reason: str, message: str = "") -> Object:
    return {"waiting": {"reason": reason, "message": message}}


def running(since: str) -> Object:
    return {"running": {"startedAt": since}}


def ended(code: int = 1, at: str = "2026-11-22T15:01:52Z", reason: str = "Error") -> Object:
    return {"exitCode": code, "reason": reason, "startedAt": at, "finishedAt": at}


def unscheduled(number: int = 1) -> Object:
    found = pod(number)
    why = "0/1 nodes are available: 1 Insufficient cpu."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
    return {**found, "status": {"phase": "Pending", "conditions": [condition]}}


def warning(of: Object, reason: str, message: str, at: str = "2026-11-22T15:01:27Z") -> Object:
    involved = {"kind": "Pod", "name": of["metadata"]["name"], "uid": of["metadata"]["uid"]}
    return {
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
        "involvedObject": involved,
        "metadata": {"name": f"{of['metadata']['name']}.18ea661b9930bba1", "creationTimestamp": at},
    }


def endpoints(*pods: Object) -> Object:
    addresses = [{"ip": "10.244.0.3", "targetRef": {"kind": "Pod", "uid": each["metadata"]["uid"]}} for each in pods]
    return {"metadata": {"name": "web"}, "subsets": [{"addresses": addresses, "ports": [{"port": 8080}]}] if pods else []}


def overdue() -> Object:
    return {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out progressing."}


def over_quota() -> Object:
    text = 'pods "web-669c85fdd5-psdv2" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    return {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": text}
