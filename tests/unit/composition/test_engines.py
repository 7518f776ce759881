"""What the connections of engines and of environments on Swarm say."""

from pathlib import Path
from typing import Any

import docker
import pytest

from nocturne.adapters.swarm import SwarmCluster
from nocturne.composition import targets
from nocturne.composition.engines import docker_client, trial_network
from nocturne.composition.targets import Target, make_cluster
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.domain.release_toml import parse_configuration
from nocturne.ports.connections import Connection

RELEASE = Path(__file__).parents[3] / "app" / "release.toml"
PLACE = {"service": "app", "network": "swarm", "public_url": "http://localhost:8000"}


def test_the_network_of_trials() -> None:
    """Trials are published on this machine unless the connection names a network; a network has a name."""
    assert trial_network(Connection("e")) == ""
    assert trial_network(Connection("e", extra={"trial_network": "nocturne-trial"})) == "nocturne-trial"
    with pytest.raises(ConfigurationError, match=r"extra\.trial_network: found bool"):
        trial_network(Connection("e", extra={"trial_network": True}))


def test_an_engine_without_an_address() -> None:
    """A connection without a host is a fault, and an engine that is not there is away."""
    with pytest.raises(ConfigurationError, match="host: found nothing"):
        docker_client(Connection("e"))
    with pytest.raises(Broken, match=r"no Docker Engine answers at tcp://127\.0\.0\.1:9"):
        docker_client(Connection("e", host="tcp://127.0.0.1:9"))


def swarm(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> SwarmCluster:
    # With the API's version said, a client asks nobody before it is used.
    monkeypatch.setattr(targets, "docker_client", lambda connection: docker.DockerClient(connection.host, version="1.41"))
    configuration = parse_configuration(RELEASE.read_bytes(), str(RELEASE))
    connection = Connection("nocturne_sandbox", host="tcp://engine:2375", extra={**PLACE, **extra})
    registry = Connection("nocturne_registry", "docker", "http://registry", 5000)
    made = make_cluster(Target(configuration, configuration.environment("sandbox"), connection, registry, print))
    assert isinstance(made, SwarmCluster)
    return made


def test_who_counts_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A front door is asked at the URL of its statistics or in its container, and where none is said nobody counts."""
    assert swarm(monkeypatch).traffic() is None
    with pytest.raises(Broken, match=r"the front door at http://127\.0\.0\.1:9 does not tell"):
        swarm(monkeypatch, front_door_stats="http://127.0.0.1:9").traffic()
    with pytest.raises(ConfigurationError, match="found both, expected one of them"):
        swarm(monkeypatch, front_door_stats="http://127.0.0.1:9", front_door="container")
    with pytest.raises(ConfigurationError, match=r"extra\.front_door_stats: found int"):
        swarm(monkeypatch, front_door_stats=8404)
