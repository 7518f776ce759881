"""Where users reach an app, as its Service tells.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types
"""

from typing import Any

from nocturne.domain.errors import Broken

_HTTP = 80


def public_address(service: dict[str, Any] | None, node_address: str) -> str:
    """The base address: of the Service's load balancer, else of its NodePort on a node. Raises Broken when it has none yet.

    node_address: of any node, as users reach it; empty where NodePorts are not to be used.
    """
    if service is None:
        raise Broken("found no Service of the app, expected one", advice="roll a release out first, or set public_url")
    ports = service["spec"].get("ports") or [{}]
    port = next((one for one in ports if one.get("name") == "http"), ports[0])
    for entry in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []:
        address = entry.get("hostname") or entry.get("ip")
        if address:
            return _url(address, int(port["port"]))
    if port.get("nodePort") and node_address:
        return _url(node_address, int(port["nodePort"]))
    raise Broken(
        f"found no public address of Service {service['metadata']['name']}: {_lacking(service, port, node_address)}",
        advice="set public_url or node_address in the environment's connection, or wait for the load balancer's address",
    )


def rank(service: dict[str, Any]) -> tuple[int, str]:
    """Which of several Services users come through: first one that has an address outside, then by name."""
    kinds = ("LoadBalancer", "NodePort")
    kind = service["spec"].get("type")
    return kinds.index(kind) if kind in kinds else len(kinds), str(service["metadata"]["name"])


def _lacking(service: dict[str, Any], port: dict[str, Any], node_address: str) -> str:
    kind = service["spec"].get("type", "ClusterIP")
    balancer = "its load balancer has no address yet" if kind == "LoadBalancer" else f"it is a {kind}, no LoadBalancer"
    node = f"its NodePort is {port['nodePort']}, but no node_address is set" if port.get("nodePort") else "it has no NodePort"
    return f"no public_url is set, {balancer}, {node}"


def _url(address: str, port: int) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}" if port == _HTTP else f"http://{host}:{port}"
