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
    for container in client.containers.list(all=True, filters={"name": chosen}):
        container.remove(force=True)


@pytest.fixture
def image(engine: DockerEngine, request_for: RequestFor) -> str:
    """A pushed image that serves a page."""
    return engine.build(request_for(SERVE, page="hello"), lambda line: None)


def names(client: docker.DockerClient) -> list[str]:
    return [container.name for container in client.containers.list(all=True)]


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
        assert [line for line in running.logs() if not line.startswith("touch:")] == ["up", "read-only", "tmp"]
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
        deadline = time.monotonic() + 10
        while running.exited() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running.exited() == 7
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
