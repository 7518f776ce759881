"""A swarm, a registry with good and bad releases, a front door, and a service name that is this run's own."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import docker
import httpx
import pytest

from nocturne.adapters.swarm import SwarmCluster
from nocturne.ports.cluster import DesiredState, Rollout
from nocturne.sandbox.front_door import FrontDoor
from tests.integration.swarm.base_image import ensure_base_image
from tests.integration.swarm.overlay import make_overlay, remove_overlay
from tests.integration.swarm.registry import push_release, start_registry
from tests.ports import free_port

COMPOSE = """\
services:
  web:
    healthcheck:
      test: [CMD, python3, /srv/check.py]
      interval: 1s
      timeout: 20s
      start_period: 3s
      retries: 2
    stop_grace_period: 15s
    read_only: true
    cap_drop: [ALL]
    deploy:
      replicas: 2
      update_config: {parallelism: 1, order: start-first, delay: 3s, failure_action: rollback, monitor: 5s}
      rollback_config: {parallelism: 0, order: start-first, monitor: 1s}
"""


@dataclass(frozen=True)
class Site:
    """Where the tests deploy: a cluster, its front door, and a way to get a release by its mode of behaviour."""

    client: docker.DockerClient
    cluster: SwarmCluster
    front_door: FrontDoor
    service: str
    network: str
    port: int
    release: Callable[[str, str], DesiredState]


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=60)
    yield client
    client.close()


@pytest.fixture(scope="session")
def base(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    return ensure_base_image(client, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def registry(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    process = start_registry(tmp_path_factory.mktemp("registry"), port)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait()
    for image in client.api.images(name=f"127.0.0.1:{port}/test-app", all=True):
        client.images.remove(image["Id"], force=True)


@pytest.fixture(scope="session")
def release(client: docker.DockerClient, base: str, registry: str) -> Callable[[str, str], DesiredState]:
    """A release by name and mode (good, never-ready, crash, crash-when-ready, missing), pushed when first asked for."""
    images: dict[str, str] = {}

    def make(name: str, mode: str = "good") -> DesiredState:
        if mode == "missing":
            images[name] = f"{registry}/test-app@sha256:{'0' * 64}"
        if name not in images:
            images[name] = push_release(client, base, registry, name, mode)
        return DesiredState(name, images[name], {"compose.yaml": COMPOSE}, {"run": "run-1", "commit": "3f2a"})

    return make


@pytest.fixture(scope="session")
def site(client: docker.DockerClient, base: str, release: Callable[[str, str], DesiredState]) -> Iterator[Site]:
    name, port = f"nocturne-test-{secrets.token_hex(4)}", free_port()
    make_overlay(client, name)
    front_door = FrontDoor(client, base, f"{name}-front-door", name, name, port)
    front_door.ensure()
    cluster = SwarmCluster(client, name, name, f"http://127.0.0.1:{port}", front_door.traffic)
    yield Site(client, cluster, front_door, name, name, port, release)
    cluster.withdraw()
    front_door.remove()
    remove_overlay(client, name)


@pytest.fixture
def live(site: Site) -> DesiredState:
    """A good release, running: the one that runs already, where there is one."""
    running = site.cluster.running() or ""
    desired = site.release(running if running.startswith("r-good") else "r-good", "good")
    site.cluster.apply(desired)
    assert watch_to_end(site.cluster, desired)[-1].phase == "complete"
    return desired


def watch_to_end(cluster: SwarmCluster, desired: DesiredState, seconds: float = 120) -> list[Rollout]:
    """Everything that `watch` says, to its end."""

    async def collect() -> list[Rollout]:
        async with asyncio.timeout(seconds):
            return [rollout async for rollout in cluster.watch(desired)]

    return asyncio.run(collect())


def wait_for_nobody(site: Site) -> None:
    """Wait until the last task has left the front door, which then answers 503."""
    deadline = time.monotonic() + 60
    while True:
        with suppress(httpx.TransportError):
            if httpx.get(site.cluster.public_url()).status_code == 503:
                return
        assert time.monotonic() < deadline
        time.sleep(0.2)


def in_run(desired: DesiredState, run: str) -> DesiredState:
    """The same release, asked for by another run."""
    return replace(desired, annotations={**desired.annotations, "run": run})
