"""Where users reach an app, from its Service as the API describes it."""

from typing import Any

import pytest

from nocturne.adapters.kubernetes.public_address import public_address
from nocturne.domain.errors import Broken


def service(kind: str, ingress: list[dict[str, str]] | None = None, **port: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"type": kind, "ports": [{"port": 80, **port}]}}
    if ingress is not None:
        found["status"] = {"loadBalancer": {"ingress": ingress}}
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (service("LoadBalancer", [{"ip": "192.0.2.7"}]), "http://192.0.2.7"),
        (service("LoadBalancer", [{"hostname": "lb.example"}], port=8080, nodePort=30001), "http://lb.example:8080"),
        (service("LoadBalancer", [{"ip": "2001:db8::7"}], port=8080), "http://[2001:db8::7]:8080"),
        (service("LoadBalancer", [], nodePort=30001), "http://node.example:30001"),
        (service("NodePort", nodePort=30001), "http://node.example:30001"),
    ],
)
def test_found(found: dict[str, Any], expected: str) -> None:
    """The load balancer's address comes before a node's, and port 80 needs no saying."""
    assert public_address(found, "node.example") == expected


def test_port_of_several() -> None:
    """Of several ports the one called http is the users'."""
    found = service("LoadBalancer", [{"ip": "192.0.2.7"}], name="metrics", port=9090)
    found["spec"]["ports"].append({"name": "http", "port": 80})
    assert public_address(found, "") == "http://192.0.2.7"


@pytest.mark.parametrize(
    ("found", "node", "expected"),
    [
        (None, "node.example", "found no Service of the app"),
        (service("ClusterIP"), "node.example", "it is a ClusterIP, no LoadBalancer, it has no NodePort"),
        (
            service("LoadBalancer", nodePort=30001),
            "",
            "its load balancer has no address yet, its NodePort is 30001, but no node_address",
        ),
    ],
)
def test_lacking(found: dict[str, Any] | None, node: str, expected: str) -> None:
    """Without an address the message says what is lacking of each way to get one."""
    with pytest.raises(Broken, match=expected):
        public_address(found, node)
