"""The front door stands by itself, and finds whatever tasks there are."""

import time
from dataclasses import replace

import httpx
import pytest

from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase
from nocturne.sandbox.front_door import FrontDoor
from tests.integration.swarm.conftest import COMPOSE, Site, free_port, in_run, watch_to_end
from tests.load import Load

pytestmark = pytest.mark.docker


def front_door(site: Site, port: int, slots: int = 4, image: str = "nocturne-test/base:bookworm") -> FrontDoor:
    return FrontDoor(site.client, image, f"{site.service}-second", site.network, "nobody", port, slots=slots)


def test_ensure(site: Site) -> None:
    """It is started once, comes back after it was stopped, is replaced when it is configured otherwise, and removed once."""
    port = free_port()
    door = front_door(site, port)
    container = f"{site.service}-second"
    assert door.ensure()
    first = site.client.containers.get(container).id
    assert not door.ensure()
    assert httpx.get(f"http://127.0.0.1:{port}").status_code == 503
    assert (door.traffic().requests, door.traffic().failed) == (1, 1)
    site.client.containers.get(container).stop()
    with pytest.raises(Broken, match="does not tell its numbers"):
        door.traffic()
    assert door.ensure()
    assert site.client.containers.get(container).id == first
    assert front_door(site, port, slots=5).ensure()
    assert site.client.containers.get(container).id != first
    door.remove()
    door.remove()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}")


def test_without_haproxy(site: Site) -> None:
    """An image that is not there is an error that says so."""
    with pytest.raises(Broken, match="nocturne-test/nothing"):
        front_door(site, free_port(), image="nocturne-test/nothing:latest").ensure()


def test_killed_task(site: Site, live: DesiredState) -> None:
    """A task that is killed without warning costs no request, and its successor is found."""
    containers = site.client.containers.list(filters={"label": f"com.docker.swarm.service.name={site.service}"})
    assert len(containers) == 2
    with Load(site.port) as load:
        time.sleep(1)
        containers[0].kill()
        time.sleep(1)
        assert watch_to_end(site.cluster, live)[-1].phase is Phase.COMPLETE
    assert load.failures == []


@pytest.mark.parametrize(("replicas", "parallelism"), [(1, 1), (2, 0)])
def test_all_replaced_at_once(site: Site, live: DesiredState, replicas: int, parallelism: int) -> None:
    """Even an update that replaces all tasks at the same moment loses no request."""
    text = COMPOSE.replace("replicas: 2", f"replicas: {replicas}").replace("parallelism: 1", f"parallelism: {parallelism}")
    with Load(site.port) as load:
        for name in ("r-once", "r-twice"):
            desired = in_run(replace(site.release(name, "good"), manifests={"compose.yaml": text}), f"run-{replicas}")
            assert site.cluster.apply(desired)
            assert watch_to_end(site.cluster, desired)[-1].phase is Phase.COMPLETE
    assert load.failures == []
    assert load.answers["r-twice"] > 0
