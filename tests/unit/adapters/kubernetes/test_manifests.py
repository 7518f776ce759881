"""What an app may bring to Kubernetes, and how every mistake in it is reported."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from nocturne.adapters.kubernetes.manifests import is_of, read_manifests
from tests.integration.kubernetes.manifests import config_map, deployment, disruption_budget, manifests, service

NAMESPACE = "production"
REPOSITORY = "nocturne/test-app"
THE_APPS = Path(__file__).parents[4] / "app" / "kubernetes"


def faults(*objects: dict[str, Any]) -> list[str]:
    return read_manifests({"app.yaml": yaml.safe_dump_all(objects)}, NAMESPACE, REPOSITORY)[1]


def container(found: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = found["spec"]["template"]["spec"]["containers"][0]
    return first


def test_the_apps_own_files_are_good() -> None:
    """The manifests that the app brings have no fault."""
    files = {path.name: path.read_text() for path in THE_APPS.iterdir()}
    objects, found = read_manifests(files, NAMESPACE, "nocturne/digits")
    assert found == []
    assert objects is not None
    assert objects.name == "digits"
    assert [one["kind"] for one in objects.services] == ["Service"]


def test_one_list_in_json() -> None:
    """What `kubectl get -o json` or kustomize put into one List in one JSON file is read like files of their own."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [deployment(), service(), disruption_budget()]})
    objects, found = read_manifests({"all.json": text, "README.md": "how to"}, NAMESPACE, REPOSITORY)
    assert found == []
    assert objects is not None
    assert len(objects.objects) == 3


def test_every_fault_at_once() -> None:
    """Faults of files, of schemas and of rules come together, each with file, object and field."""
    wrong = deployment()
    wrong["spec"]["replicaz"] = 2
    wrong["spec"]["template"]["spec"]["containers"][0]["imagePullPolicyy"] = "Always"
    wrong["metadata"]["namespace"] = "elsewhere"
    files = {
        "app.yaml": yaml.safe_dump_all([wrong, service()]),
        "kustomization.yaml": "resources: []",
        "notes.txt": "",
        "secret.yaml": yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}}),
        "broken.yaml": "a: [",
    }
    listing = "\n".join(read_manifests(files, NAMESPACE, REPOSITORY)[1])
    for expected in (
        "kustomization.yaml: found a kustomization",
        "notes.txt: found a file .txt",
        "secret.yaml: found an object of kind 'Secret'",
        "broken.yaml: not YAML",
        "app.yaml: Deployment web: spec: found replicaz, expected only fields that Kubernetes",
        "app.yaml: Deployment web: spec.template.spec.containers[0]: found imagePullPolicyy",
        "app.yaml: Deployment web: metadata.namespace: found 'elsewhere', expected none, or 'production'",
    ):
        assert expected in listing


def test_one_deployment() -> None:
    """Two Deployments are a fault that names both, and none is one too."""
    second = deployment()
    second["metadata"]["name"] = "worker"
    assert any(
        "found 2 Deployments (app.yaml: Deployment web, app.yaml: Deployment worker)" in one for one in faults(deployment(), second)
    )
    assert faults(service()) == ["found 0 Deployments, expected exactly one"]


def test_two_of_one_name() -> None:
    """Two objects of one kind and name are a fault, for only one of them could be there."""
    found = faults(deployment(), service(), config_map("a", x="1"), config_map("a", x="2"))
    assert found == ["ConfigMap a: found 2 of them, expected one"]


def test_a_key_twice() -> None:
    """A key that is there twice is a fault, where YAML would take the last one in silence."""
    found = read_manifests({**manifests(), "a.yaml": "kind: ConfigMap\napiVersion: v1\napiVersion: v1\n"}, NAMESPACE, REPOSITORY)[1]
    assert found == [
        "a.yaml: not YAML: found the key 'apiVersion' twice in \"<unicode string>\", line 3, column 1: apiVersion: v1 ^"
    ]


@pytest.mark.parametrize("text", ["? [a, b]\n: c\n", 'a: !!int "abc"\n', "? {a: b}\n: c\n", "a: !!float x\n", "{a: b}: c\n"])
def test_strange_yaml(text: str) -> None:
    """Keys that are no text and tags that do not fit are faults of the file, like all that cannot be read."""
    faults = read_manifests({"a.yaml": text}, "production", "nocturne/test-app")[1]
    assert faults[0].startswith("a.yaml: not YAML: found a ")


def test_a_date_is_text() -> None:
    """An unquoted date is the text that it is written as, so that it can be sent to a cluster."""
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {since: 2026-11-20}\n"
    objects, found = read_manifests({**manifests(), "a.yaml": text}, NAMESPACE, REPOSITORY)
    assert found == []
    assert objects is not None
    assert {"since": "2026-11-20"} in [one.get("data") for one in objects.objects]


def test_no_service() -> None:
    """Without a Service that selects the pods no user could reach them."""
    elsewhere = service()
    elsewhere["spec"]["selector"] = {"app": "another"}
    assert faults(deployment(), elsewhere) == ["app.yaml: Deployment web: found no Service that selects its pods, expected one"]


def test_another_image() -> None:
    """A Deployment without the released repository has no place for the release, and what it has is named."""
    wrong = deployment()
    container(wrong)["image"] = "nginx:1.27"
    found = faults(wrong, service())
    assert found == [
        "app.yaml: Deployment web: spec.template.spec.containers: found the images nginx:1.27, expected one of nocturne/test-app,"
        " which is released"
    ]


def test_what_a_rollout_needs() -> None:
    """A container without a readiness probe or without resources is a fault."""
    wrong = deployment()
    del container(wrong)["readinessProbe"], container(wrong)["resources"]
    found = faults(wrong, service())
    assert [one.partition("container app: ")[2][:30] for one in found] == [
        "found no readinessProbe, expec",
        "resources: found no requests.c",
    ]


def test_labels_of_ours() -> None:
    """Labels and annotations that a release writes are not the app's to write."""
    wrong = service()
    wrong["metadata"]["labels"]["nocturne.io/app"] = "mine"
    assert "metadata.labels: found nocturne.io/app" in faults(deployment(), wrong)[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hostNetwork": True}, "hostNetwork: found true"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "volumes[0]: found hostPath"),
        ({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, "runAsNonRoot: not true here or for the pod"),
        ({"securityContext": {"runAsNonRoot": True}}, "seccompProfile.type: found none here or for the pod"),
        (
            {"securityContext": {"runAsNonRoot": True, "runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}}},
            "runAsUser: found 0",
        ),
    ],
)
def test_restricted_pods(change: dict[str, Any], expected: str) -> None:
    """A pod that the restricted Pod Security Standard forbids is a fault that names the rule."""
    wrong = deployment()
    wrong["spec"]["template"]["spec"].update(change)
    found = faults(wrong, service())
    assert len(found) == 1
    assert "Pod Security (restricted): " in found[0]
    assert expected in found[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"privileged": True}, "privileged: found true"),
        ({"allowPrivilegeEscalation": None}, "allowPrivilegeEscalation: found none, expected false"),
        ({"capabilities": {"drop": ["NET_RAW"]}}, "capabilities.drop: found ['NET_RAW'], expected [ALL]"),
        ({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}, "capabilities.add: found SYS_ADMIN"),
    ],
)
def test_restricted_containers(change: dict[str, Any], expected: str) -> None:
    """A container that the restricted Pod Security Standard forbids is a fault that names the rule, an init container's too."""
    wrong = deployment()
    context = {**container(wrong)["securityContext"], **change}
    context = {key: value for key, value in context.items() if value is not None}
    inits = {**container(wrong), "name": "init", "securityContext": context}
    for key in ("readinessProbe", "startupProbe", "lifecycle"):
        del inits[key]
    wrong["spec"]["template"]["spec"]["initContainers"] = [inits]
    found = faults(wrong, service())
    assert len(found) == 1
    assert expected in found[0]
    assert "initContainers[0]" in found[0]


@pytest.mark.parametrize(
    ("image", "same"),
    [
        ("test-app", True),
        ("test-app:latest", True),
        ("nocturne/test-app", True),
        ("registry.example:5000/nocturne/test-app@sha256:00", True),
        ("localhost/test-app", True),
        ("other/test-app", False),
        ("test-app-worker", False),
        ("", False),
    ],
)
def test_image_names(image: str, same: bool) -> None:
    """An image is the release's by its repository or the last part of it, whatever the host, tag and digest."""
    assert is_of(image, REPOSITORY) is same


def test_old_versions_have_schemas() -> None:
    """A version that newer clusters do not serve any more is checked like its successor of the same shape."""
    old = {**disruption_budget(), "apiVersion": "policy/v1beta1"}
    assert faults(deployment(), service(), old) == []
    assert "apiVersion: found 'policy/v2'" in faults(deployment(), service(), {**old, "apiVersion": "policy/v2"})[0]
