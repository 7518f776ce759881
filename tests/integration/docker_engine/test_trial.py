"""Trying an image out."""

import secrets
import time
from collections.abc import Callable, Iterator

import docker
import httpx
import pytest

from nocturne.adapters.docker_engine import DockerEngine
from nocturne.domain.errors import Broken, Rejected
from nocturne.ports.image_builder import CodeImageRequest
from tests.integration.docker_engine.conftest import eventually

pytestmark = pytest.mark.docker
RequestFor = Callable[..., CodeImageRequest]

SERVE = (
    "COPY page /www/page\n"
    'CMD ["/bin/sh", "-c", "echo up; touch /x || echo read-only; touch /tmp/x && echo tmp; exec httpd -f -p 8080 -h /www"]'
)


@pytest.fixture
def name(client: docker.DockerClient) -> Iterator[str]:
    """A container's name that nobody else has; what is left under it is removed."""
    chosen = f"trial-{secrets.token_hex(4)}"
    yield chosen
    for container in client.containers.list(all=True, filters={"name": chosen}, ignore_removed=True):
        container.remove(force=True)


@pytest.fixture
def image(engine: DockerEngine, request_for: RequestFor) -> str:
    """A pushed image that serves a page."""
    return engine.build(request_for(SERVE, page="hello"), lambda line: None)


def names(client: docker.DockerClient) -> list[str]:
    return [container.name for container in client.containers.list(all=True, ignore_removed=True)]


def page(url: str) -> str:
    """The page, once the server is up."""
    for _ in range(50):
        try:
            return httpx.get(f"{url}/page").text
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"nothing answers at {url}")


def test_the_image_runs_where_only_this_machine_reaches_it(
    engine: DockerEngine, client: docker.DockerClient, image: str, name: str, lines: list[str]
):
    """It answers on a port of 127.0.0.1, and is gone when the trial is over."""
    with engine.run(image, 8080, name, lines.append) as running:
        assert page(running.url) == "hello"
        assert running.url.startswith("http://127.0.0.1:")
        assert running.exited() is None
        bindings = client.containers.get(name).ports["8080/tcp"]
        assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]
    assert name not in names(client)


def test_a_trial_may_write_to_memory_alone(engine: DockerEngine, client: docker.DockerClient, image: str, name: str):
    """Read-only, without capabilities, without a way to more rights, and limited in memory and processes."""
    with engine.run(image, 8080, name, lambda line: None) as running:
        page(running.url)

        def said() -> list[str]:
            return [line for line in running.logs() if not line.startswith("touch:")]

        # The engine copies what a container writes a moment later.
        assert eventually(lambda: len(said()) >= 3)
        assert said() == ["up", "read-only", "tmp"]
        host = client.containers.get(name).attrs["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Memory"] == 2 << 30
    assert host["PidsLimit"] == 512


def test_a_failed_trial_removes_its_container_too(engine: DockerEngine, client: docker.DockerClient, image: str, name: str):
    """Whatever the trial finds, nothing is left running."""
    with pytest.raises(ZeroDivisionError), engine.run(image, 8080, name, lambda line: None):
        _ = 1 / 0
    assert name not in names(client)


def test_what_a_killed_try_left_behind_is_removed_first(
    engine: DockerEngine, client: docker.DockerClient, image: str, name: str, lines: list[str]
):
    """A retry finds the name free and says what it removed."""
    client.containers.run(image, name=name, labels={"nocturne.trial": "1"}, detach=True)
    with engine.run(image, 8080, name, lines.append) as running:
        assert page(running.url) == "hello"
    assert any("left behind by an earlier try" in line for line in lines)


def test_a_container_that_is_not_ours_is_left_alone(engine: DockerEngine, client: docker.DockerClient, image: str, name: str):
    """A name that somebody else uses is an error, not a reason to remove what they run."""
    client.containers.run(image, name=name, detach=True)
    with pytest.raises(Broken, match="no trial has left behind"), engine.run(image, 8080, name, lambda line: None):
        pytest.fail("the trial began")
    assert name in names(client)


def test_an_app_that_ends_at_once_tells_its_exit_code(engine: DockerEngine, request_for: RequestFor, name: str):
    """A crash at the start is seen with what the app said, and its address refuses connections."""
    image = engine.build(request_for('CMD ["/bin/sh", "-c", "echo no model >&2; exit 7"]'), lambda line: None)
    with engine.run(image, 8080, name, lambda line: None) as running:
        assert eventually(lambda: running.exited() is not None)
        assert running.exited() == 7
        assert eventually(lambda: bool(list(running.logs())))
        assert list(running.logs()) == ["no model"]
        with pytest.raises(httpx.TransportError):
            httpx.get(running.url)


def test_an_image_without_its_program_is_rejected(
    engine: DockerEngine, client: docker.DockerClient, request_for: RequestFor, name: str
):
    """An entry point that does not exist is the Dockerfile's fault, and would fail again."""
    image = engine.build(request_for('CMD ["/missing"]'), lambda line: None)
    with pytest.raises(Rejected, match=r"cannot be started: .*/missing"), engine.run(image, 8080, name, lambda line: None):
        pytest.fail("the trial began")
    assert name not in names(client)


def test_an_image_that_cannot_be_pulled_is_broken(engine: DockerEngine, base_image: str, name: str):
    """What is tried out comes from the registry, never from what happens to be in the engine."""
    missing = f"{base_image.partition('@')[0]}@sha256:{'0' * 64}"
    with pytest.raises(Broken, match=missing), engine.run(missing, 8080, name, lambda line: None):
        pytest.fail("the trial began")


@pytest.fixture
def network(client: docker.DockerClient) -> Iterator[str]:
    """A network without a way out."""
    name = f"nocturne-test-{secrets.token_hex(4)}"
    made = client.networks.create(name, internal=True)
    yield name
    made.remove()


def test_on_a_network_only_its_members_reach_the_image(client: docker.DockerClient, image: str, name: str, network: str):
    """It publishes nothing, and answers another container of that network at its address there."""
    with DockerEngine(client, trial_network=network).run(image, 8080, name, lambda line: None) as running:
        assert page(running.url) == "hello"
        attributes = client.containers.get(name).attrs
        assert list(attributes["NetworkSettings"]["Networks"]) == [network]
        assert not any(attributes["NetworkSettings"]["Ports"].values())
        address = running.url.removeprefix("http://")
        assert visited(client, image, network, address, 30) == "hello"
        assert visited(client, image, "bridge", address, 3) == "no answer"
    assert name not in names(client)


def test_an_app_that_ends_at_once_has_no_address_on_a_network(
    client: docker.DockerClient, engine: DockerEngine, request_for: RequestFor, name: str, network: str
):
    """The address of an app that is gone refuses connections there, too."""
    image = engine.build(request_for('CMD ["/bin/sh", "-c", "exit 7"]'), lambda line: None)
    trials = DockerEngine(client, trial_network=network)
    with trials.run(image, 8080, name, lambda line: None) as running:
        assert eventually(lambda: running.exited() is not None)
        assert running.exited() == 7
        with pytest.raises(httpx.TransportError):
            httpx.get(running.url, timeout=5)


def test_a_network_that_is_not_there_is_broken(client: docker.DockerClient, image: str, name: str):
    """The engine's connection names a network that nobody made: no fault of the release."""
    trials = DockerEngine(client, trial_network="nocturne-test-none")
    with (
        pytest.raises(Broken, match="nocturne-test-none") as raised,
        trials.run(image, 8080, name, lambda line: None),
    ):
        pytest.fail("the trial began")
    assert "trial_network" in raised.value.advice
    assert name not in names(client)


def visited(client: docker.DockerClient, image: str, network: str, address: str, seconds: int) -> str:
    """What a container on a network gets within some seconds when it asks there for the page."""
    host, _, port = address.partition(":")
    ask = f"printf 'GET /page HTTP/1.0\\r\\n\\r\\n' | busybox timeout {seconds} busybox nc {host} {port} || echo no answer"
    visitor = client.containers.run(image, ["/bin/sh", "-c", f"{ask}; echo; echo over"], network=network, detach=True)
    try:
        # What a container has written comes a moment later, and not at all once it is removed.
        assert eventually(lambda: b"over" in visitor.logs(stderr=False).split(), seconds + 30)
        return str(visitor.logs(stderr=False).decode().rpartition("over")[0].strip().splitlines()[-1])
    finally:
        visitor.remove(force=True)
