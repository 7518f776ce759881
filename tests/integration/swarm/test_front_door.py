"""The front door stands by itself, and finds whatever tasks there are."""

import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from nocturne.adapters.swarm import HaproxyTraffic
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase
from nocturne.sandbox.front_door import FrontDoor
from tests.integration.swarm.conftest import COMPOSE, Site, in_run, watch_to_end
from tests.load import Load
from tests.ports import free_port

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


def test_numbers_by_url(site: Site) -> None:
    """Asked at the URL of its statistics, with a slash at the end or without, a front door tells the same as in its container."""
    container = site.client.containers.get(f"{site.service}-front-door")
    url = f"http://127.0.0.1:{container.ports['8404/tcp'][0]['HostPort']}"
    assert HaproxyTraffic.at(url)() == HaproxyTraffic.at(f"{url}/")() == site.front_door.traffic()


def test_without_haproxy(site: Site) -> None:
    """An image that is not there is an error that says so."""
    with pytest.raises(Broken, match="nocturne-test/nothing"):
        front_door(site, free_port(), image="nocturne-test/nothing:latest").ensure()


def running(site: Site) -> list[str]:
    """The ids of the service's containers that run; one that a task before has left may run for some seconds more."""
    filters = {"label": f"com.docker.swarm.service.name={site.service}"}
    return [container["Id"] for container in site.client.api.containers(filters=filters)]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_killed_task(site: Site, live: DesiredState) -> None:
    """A task that is killed without warning costs no request, and its successor is found."""
    wait_for(lambda: len(running(site)) == 2)
    victim, other = running(site)
    with Load(site.port) as load:
        time.sleep(1)
        site.client.containers.get(victim).kill()
        wait_for(lambda: len(found := running(site)) == 2 and victim not in found and other in found)
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
