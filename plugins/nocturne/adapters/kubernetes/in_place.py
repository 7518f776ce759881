"""Whether the Deployment that users get can become the next release bit by bit, without an outage between."""

from typing import Any

from nocturne.adapters.kubernetes.names import Slot, pod_labels
from nocturne.adapters.kubernetes.rendering import Rendering

Object = dict[str, Any]


def can_be_updated(live: Object, services: list[Object], rendering: Rendering) -> bool:
    """A Service changes for all users at once, the pods one by one: each of these has to work with both.

    live: the Deployment that users get. services: that select it.
    """
    known = {str(service["metadata"]["name"]): service for service in services}
    if not takes(live, rendering.deployment(Slot.MAIN)) or known.keys().isdisjoint(rendering.service_names):
        return False
    labels = pod_labels(live)
    for service in rendering.services(Slot.MAIN):
        before = known.get(str(service["metadata"]["name"]))
        if not service["spec"]["selector"].items() <= labels.items() or (before and _moved(before, service)):
            return False
    return True


def takes(live: Object, wanted: Object) -> bool:
    """Whether a Deployment can be changed into another: it keeps its name and its selector for ever."""
    same_name = live["metadata"]["name"] == wanted["metadata"]["name"]
    return same_name and _selector(live) == _selector(wanted)


def _selector(deployment: Object) -> tuple[Object, list[Object]]:
    selector = deployment["spec"].get("selector") or {}
    return selector.get("matchLabels") or {}, selector.get("matchExpressions") or []


def _moved(before: Object, after: Object) -> bool:
    """Whether a port of a Service leads to another one of the pods."""
    old, new = _targets(before), _targets(after)
    return any(new[port] != old[port] for port in new.keys() & old.keys())


def _targets(service: Object) -> dict[tuple[int, str], str]:
    ports = service["spec"].get("ports") or []
    return {(port["port"], port.get("protocol", "TCP")): str(port.get("targetPort", port["port"])) for port in ports}
