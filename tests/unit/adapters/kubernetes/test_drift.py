"""Two versions of an object side by side, and who has set what."""

from typing import Any

from nocturne.adapters.kubernetes.additions import additions
from nocturne.adapters.kubernetes.comparison import compare, setters, written

ENTRY = 'k:{"name":"app"}'
PORT = 'k:{"containerPort":8080,"protocol":"TCP"}'


def deployment(container: dict[str, Any], *managed: tuple[str, dict[str, Any]], **metadata: Any) -> dict[str, Any]:
    """One with one container; managed: manager, and which fields of the container are its own."""
    entries = [
        {
            "manager": manager,
            "operation": "Update",
            "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {ENTRY: fields}}}}},
        }
        for manager, fields in managed
    ]
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "managedFields": entries, **metadata},
        "spec": {"template": {"spec": {"containers": [{"name": "app", **container}]}}},
    }


def differing(found: dict[str, Any], expected: dict[str, Any], *ignored: str) -> list[tuple[str, Any, Any]]:
    return [(written(one.path), one.found, one.expected) for one in compare(found, expected, ignored)]


def test_same() -> None:
    """What the server counts and remembers by itself is no difference."""
    found = {**deployment({"image": "a"}, generation=3, resourceVersion="7"), "status": {"replicas": 1}}
    assert differing(found, deployment({"image": "a"}, ("nocturne", {}), generation=4, resourceVersion="8")) == []


def test_path() -> None:
    """A difference is told by its path, with a list's entries by name and keys with dots in brackets."""
    found, expected = deployment({"image": "a"}), deployment({"image": "b"}, annotations={"nocturne.io/release": "r-1"})
    assert differing(found, expected) == [
        ("metadata.annotations", None, {"nocturne.io/release": "r-1"}),
        ("spec.template.spec.containers[app].image", "a", "b"),
    ]
    assert differing(deployment({"image": "a"}, annotations={"nocturne.io/run": "1"}), expected, "metadata.annotations") != []
    other = deployment({"image": "b"}, annotations={"nocturne.io/release": "r-2"})
    assert differing(other, expected, "metadata.annotations[nocturne.io/release]") == []


def test_order_of_named_entries() -> None:
    """Entries with names may change places; those without may not."""
    one, other = {"name": "A", "value": "1"}, {"name": "B", "value": "2"}
    assert differing(deployment({"env": [one, other]}), deployment({"env": [other, one]})) == []
    assert differing(deployment({"args": ["a", "b"]}), deployment({"args": ["b", "a"]})) != []


def test_entries_more_and_less() -> None:
    """An entry that is there too much and one that is lacking are both told."""
    found = deployment({"env": [{"name": "A", "value": "1"}]})
    assert differing(found, deployment({"env": [{"name": "B", "value": "2"}]})) == [
        ("spec.template.spec.containers[app].env[A]", {"name": "A", "value": "1"}, None),
        ("spec.template.spec.containers[app].env[B]", None, {"name": "B", "value": "2"}),
    ]


def test_who() -> None:
    """Who has set a field is found through lists with keys and lists that are set as a whole, and is never ourselves."""
    container = {"image": "a", "args": ["x"], "ports": [{"containerPort": 8080, "protocol": "TCP", "name": "http"}]}
    live = deployment(
        container,
        ("nocturne", {"f:image": {}, "f:args": {}}),
        ("kubectl-edit", {"f:image": {}, ".": {}}),
        ("kubectl-set", {"f:args": {}}),
        ("someone", {"f:ports": {PORT: {"f:name": {}}}}),
    )
    expected = deployment({"image": "b", "args": ["y"], "ports": [{"containerPort": 8080, "protocol": "TCP", "name": "web"}]})
    assert {written(one.path): setters(live, one.path) for one in compare(live, expected)} == {
        "spec.template.spec.containers[app].image": ["kubectl-edit"],
        "spec.template.spec.containers[app].args[0]": ["kubectl-set"],
        "spec.template.spec.containers[app].ports[8080].name": ["someone"],
    }


def test_additions() -> None:
    """Only what we do not own as well, only the topmost field, and not what is an operator's by right."""
    live = deployment(
        {"image": "a", "env": [{"name": "DEBUG", "value": "1"}], "resources": {"limits": {"cpu": "1"}}},
        ("nocturne", {"f:image": {}, "f:resources": {"f:limits": {"f:memory": {}}}}),
        ("kubectl-set", {"f:image": {}, "f:env": {".": {}, 'k:{"name":"DEBUG"}': {"f:value": {}}}}),
        ("kubectl-edit", {"f:resources": {"f:limits": {"f:cpu": {}, "f:memory": {}}}, "f:command": {}}),
    )
    scaled = {"manager": "kubectl-scale", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:metadata": {}}}}}
    live["metadata"]["managedFields"].append(scaled)
    live["spec"] |= {"replicas": 3}
    assert [(one.path, one.value, one.manager) for one in additions("Deployment", live)] == [
        ("spec.template.spec.containers[app].env", [{"name": "DEBUG", "value": "1"}], "kubectl-set"),
        ("spec.template.spec.containers[app].resources.limits.cpu", "1", "kubectl-edit"),
    ]
    assert additions("Ingress", live) == []
