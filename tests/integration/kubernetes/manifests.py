"""The test app's manifests: small, quick to judge, and as strict as an app's own have to be."""

from typing import Any

import yaml

NAME = "web"
APP = "test-app"


def manifests(**changes: Any) -> dict[str, str]:
    """One file with ServiceAccount, Deployment, Service and PodDisruptionBudget; changes: see `deployment`."""
    objects = [service_account(), deployment(**changes), service(), disruption_budget()]
    return {"app.yaml": yaml.safe_dump_all(objects, sort_keys=False)}


def deployment(
    replicas: int = 2,
    cpu: str = "10m",
    memory: str = "64Mi",
    deadline: int = 60,
    min_ready: int = 0,
    liveness: bool = False,
) -> dict[str, Any]:
    """cpu: requested, of the node's. deadline: seconds without progress after which Kubernetes gives up. min_ready: seconds that a
    replica has to stay ready for until it counts.
    """
    container: dict[str, Any] = {
        "name": "app",
        "image": APP,
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "readinessProbe": probe("/readyz"),
        "startupProbe": {**probe("/livez"), "failureThreshold": 30},
        # Endpoints are removed after the pod starts to die.
        "lifecycle": {"preStop": {"exec": {"command": ["python3", "-c", "import time; time.sleep(2)"]}}},
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if liveness:
        container["livenessProbe"] = probe("/livez")
    pod = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 15,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    labels = {"app": NAME}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": labels},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": deadline,
            "minReadySeconds": min_ready,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": 1, "timeoutSeconds": 10, "failureThreshold": 2}


def service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": {"app": NAME}},
        "spec": {
            "type": "NodePort",
            "selector": {"app": NAME},
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def service_account() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}, "automountServiceAccountToken": False}


def disruption_budget() -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": NAME},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": NAME}}},
    }


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def with_object(files: dict[str, str], item: dict[str, Any]) -> dict[str, str]:
    """The same manifests with one object more, in a file of its own."""
    return {**files, f"{item['kind'].lower()}-{item['metadata']['name']}.yaml": yaml.safe_dump(item)}
