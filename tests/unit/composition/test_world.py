from pathlib import Path

import pytest

from nocturne.composition import ConnectedWorld
from nocturne.domain.errors import ConfigurationError
from nocturne.domain.release_toml import parse_configuration
from nocturne.ports.connections import Connection

RELEASE = Path(__file__).parents[3] / "app" / "release.toml"


def world(**connections: Connection) -> ConnectedWorld:
    def find(name: str) -> Connection:
        if name not in connections:
            raise ConfigurationError("the connections", [f"found no {name}"])
        return connections[name]

    return ConnectedWorld(parse_configuration(RELEASE.read_bytes(), str(RELEASE)), find, print)


def test_an_environment_on_kubernetes() -> None:
    """The target `kubernetes` is made from the environment's connection, which is checked first and not yet asked."""
    from nocturne.adapters.kubernetes import KubernetesCluster

    registry, good = Connection("nocturne_registry", "docker", "localhost:5000"), {"kube_config": "clusters: []"}
    made = world(nocturne_registry=registry, nocturne_kubernetes=Connection("k", "kubernetes", extra=good))
    cluster = made.cluster("kubernetes")
    assert isinstance(cluster, KubernetesCluster)
    # Both are seen by the cluster only, so there is no other way to ask for them.
    assert cluster._site.app == "digits.kubernetes"
    assert cluster._any_image.startswith("localhost:5000/")
    wrong = world(nocturne_registry=registry, nocturne_kubernetes=Connection("k", "kubernetes", extra={"namespace": "A B"}))
    with pytest.raises(ConfigurationError, match=r"extra\.namespace"):
        wrong.cluster("kubernetes")


def test_an_environment_without_a_connection() -> None:
    """A release.toml may name environments that this installation does not ship to; one that it does not name is a fault."""
    found = world(nocturne_sandbox=Connection("s"))
    assert (found.connected("sandbox"), found.connected("kubernetes")) == (True, False)
    with pytest.raises(ConfigurationError, match="mars"):
        found.connected("mars")


def test_a_registry_of_azure_is_signed_in_to_when_it_is_used() -> None:
    """A connection of type `azure` makes a registry without asking Azure for anything yet."""
    extra = {"tenantId": "t"}
    azure = Connection("nocturne_registry", "azure", "example.azurecr.io", login="client", password="secret", extra=extra)
    assert world(nocturne_registry=azure).registry.full("digits") == "example.azurecr.io/digits"
