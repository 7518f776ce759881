"""The real adapters before the real engine, with nothing but the gate between them."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import httpx
import pytest

from nocturne.adapters.docker_engine import DockerEngine
from nocturne.adapters.swarm import SwarmCluster
from nocturne.adapters.swarm.engine import Engine
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase
from nocturne.ports.image_builder import CodeImageRequest
from tests.integration.docker_engine.conftest import eventually, remove_images
from tests.integration.oci_registry.base_image import busybox, push_base
from tests.integration.oci_registry.local_registry import LocalRegistry, local_registry
from tests.integration.swarm.overlay import make_overlay, remove_overlay

pytestmark = pytest.mark.docker

DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY page weight /www/
CMD ["httpd", "-f", "-v", "-p", "8080", "-h", "/www"]
"""
COMPOSE = """\
services:
  web:
    stop_grace_period: 1s
    healthcheck: {test: [CMD, /bin/echo, well], interval: 1s, timeout: 5s, start_period: 1s, retries: 2}
    deploy:
      replicas: 1
      update_config: {order: start-first, monitor: 1s}
"""
WEIGHT = 60_000_000


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    with local_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def base_image(registry: LocalRegistry, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image by digest that is in the registry and not in the engine."""
    repository = f"{registry.host}/base"
    digest = push_base(client, repository, busybox(tmp_path_factory.getbasetemp() / "busybox"))
    client.images.remove(f"{repository}:base", force=True)
    yield f"{repository}@{digest}"
    remove_images(client, repository)


@pytest.fixture(scope="session")
def guarded(gate: str) -> Iterator[docker.DockerClient]:
    """The engine through the gate, as the connection `nocturne_engine` has it."""
    connected = docker.DockerClient(base_url=f"tcp://{gate}", timeout=120)
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def built(
    guarded: docker.DockerClient,
    client: docker.DockerClient,
    registry: LocalRegistry,
    base_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], str]]:
    """Build and push an image with a page, and with as much beside it as an app's wheels take."""
    repository = f"{registry.host}/gate-{secrets.token_hex(4)}"

    def build(page: str) -> str:
        context: Path = tmp_path_factory.mktemp("context")
        (context / "Dockerfile").write_text(DOCKERFILE)
        (context / "page").write_text(page)
        (context / "weight").write_bytes(secrets.token_bytes(1000) * (WEIGHT // 1000))
        request = CodeImageRequest(context, base_image, f"{repository}:{page}", {"org.opencontainers.image.revision": "abc"})
        return DockerEngine(guarded).build(request, lambda line: None)

    yield build
    remove_images(client, repository)


@pytest.fixture
def network(client: docker.DockerClient) -> Iterator[str]:
    """A network without a way out, for trials."""
    name = f"nocturne-test-{secrets.token_hex(4)}"
    made = client.networks.create(name, internal=True)
    yield name
    made.remove()


def test_building_and_trying_out(guarded: docker.DockerClient, built: Callable[[str], str], network: str) -> None:
    """An image of 60 MB is built, pushed, pulled and tried out through the gate."""
    image = built("hello")
    name = f"nocturne-trial-{secrets.token_hex(4)}"
    with DockerEngine(guarded, trial_network=network).run(image, 8080, name, lambda line: None) as running:
        assert page(running.url) == "hello"
        assert running.exited() is None
        # The engine copies what a container writes a moment later.
        assert eventually(lambda: any("GET" in line or "response" in line for line in running.logs()))
    with pytest.raises(docker.errors.NotFound):
        guarded.containers.get(name)


def test_copying(
    guarded: docker.DockerClient, client: docker.DockerClient, registry: LocalRegistry, base_image: str, built: Callable[[str], str]
) -> None:
    """An image of another registry is pushed under a new name, and keeps its digest."""
    repository = f"{registry.host}/copied-{secrets.token_hex(4)}"
    try:
        copied = DockerEngine(guarded).copy(base_image, f"{repository}:3.11", lambda line: None)
    finally:
        remove_images(client, repository)
    assert copied == f"{repository}@{base_image.partition('@')[2]}"


def test_rolling_out(
    guarded: docker.DockerClient, client: docker.DockerClient, gate: str, built: Callable[[str], str], swarm_network: str
) -> None:
    """A service is made, looked at, updated, explained and removed through the gate."""
    # What users call is of no interest here, so it is anything that answers.
    cluster = SwarmCluster(guarded, swarm_network, swarm_network, f"http://{gate}/version")
    try:
        for page in ("one", "two"):
            desired = DesiredState(f"r-{page}", built(page), {"compose.yaml": COMPOSE}, {"run": page})
            assert cluster.apply(desired)
            assert watched(cluster, desired) is Phase.COMPLETE
            assert cluster.running() == f"r-{page}"
        engine = Engine(guarded, None)
        service = engine.service(swarm_network)
        assert service is not None
        containers = [task["Status"]["ContainerStatus"]["ContainerID"] for task in engine.tasks(service["ID"])]
        assert engine.container(containers[0]) is not None
        assert engine.last_lines(containers[0], 5) == []
    finally:
        cluster.withdraw()
    assert cluster.running() is None


def test_a_refusal_is_told(guarded: docker.DockerClient, built: Callable[[str], str]) -> None:
    """What the gate refuses is a broken machinery with the gate's own sentence, not a rejected release."""
    image = built("hello")
    with (
        pytest.raises(Broken, match="the gate before Docker Engine refuses"),
        DockerEngine(guarded).run(image, 8080, "somebody-else", lambda line: None),
    ):
        pytest.fail("the trial began")


@pytest.fixture
def swarm_network(client: docker.DockerClient) -> Iterator[str]:
    """An attachable overlay network."""
    name = f"nocturne-test-{secrets.token_hex(4)}"
    make_overlay(client, name)
    yield name
    # Tasks that are on their way out hold on to it, and to their image, for a moment.
    label = f"com.docker.swarm.service.name={name}"
    eventually(lambda: not client.api.containers(all=True, filters={"label": label}), seconds=60)
    remove_overlay(client, name)


def page(url: str) -> str:
    """The page, once the server is up."""
    for _ in range(100):
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{url}/page").text
        time.sleep(0.1)
    pytest.fail(f"nothing answers at {url}")


def watched(cluster: SwarmCluster, desired: DesiredState) -> Phase:
    """How the rollout ended."""

    async def last() -> Phase:
        async with asyncio.timeout(120):
            return [rollout async for rollout in cluster.watch(desired)][-1].phase

    return asyncio.run(last())
