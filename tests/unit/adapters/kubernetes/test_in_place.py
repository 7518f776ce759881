"""Which changes of the manifests the pods that users get can take bit by bit."""

import copy
from typing import Any

import pytest
import yaml

from nocturne.adapters.kubernetes.in_place import can_be_updated
from nocturne.adapters.kubernetes.manifests import read_manifests
from nocturne.adapters.kubernetes.names import Slot
from nocturne.adapters.kubernetes.rendering import Rendering
from nocturne.ports.cluster import DesiredState
from tests.integration.kubernetes.manifests import deployment, service

Object = dict[str, Any]


def rendering(app: Object, *services: Object) -> Rendering:
    read, faults = read_manifests({"app.yaml": yaml.safe_dump_all([app, *services])}, "production", "nocturne/test-app")
    assert read is not None, faults
    return Rendering("digits.production", read, DesiredState("r-1", f"test-app@sha256:{'1' * 64}", {}, {}))


def changed(item: Object, value: Any, *path: Any) -> Object:
    """The same with another value at a path."""
    found = copy.deepcopy(item)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return found


def relabelled(app: Object) -> Object:
    labels = {"app": "other"}
    return changed(changed(app, labels, "spec", "selector", "matchLabels"), labels, "spec", "template", "metadata", "labels")


EXTRA = {"app": "web", "tier": "front"}
INNER = changed(service(), "a-inner", "metadata", "name")
MORE = [*service()["spec"]["ports"], {"name": "admin", "port": 81, "targetPort": 8081, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("app", "services", "expected"),
    [
        (changed(deployment(), 5, "spec", "replicas"), [service()], True),
        (deployment(), [service(), INNER], True),
        (deployment(), [changed(service(), MORE, "spec", "ports")], True),
        (changed(deployment(), "web2", "metadata", "name"), [service()], False),
        (relabelled(deployment()), [changed(service(), {"app": "other"}, "spec", "selector")], False),
        (deployment(), [changed(service(), "door", "metadata", "name")], False),
        (deployment(), [changed(service(), 8080, "spec", "ports", 0, "targetPort")], False),
        (
            changed(deployment(), EXTRA, "spec", "template", "metadata", "labels"),
            [changed(service(), EXTRA, "spec", "selector")],
            False,
        ),
    ],
)
def test_in_place(app: Object, services: list[Object], expected: bool) -> None:
    """Another name, other labels, or a Service that the live pods do not fit, need a Deployment beside the live one."""
    before = rendering(deployment(), service())
    assert can_be_updated(before.deployment(Slot.MAIN), before.services(Slot.MAIN), rendering(app, *services)) is expected
