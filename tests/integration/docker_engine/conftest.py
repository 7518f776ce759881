import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from nocturne.adapters.docker_engine import DockerEngine
from nocturne.ports.image_builder import CodeImageRequest
from tests.integration.oci_registry.base_image import busybox, push_base
from tests.integration.oci_registry.local_registry import LocalRegistry, local_registry


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    """A registry without a login."""
    with local_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The Docker Engine of this machine."""
    connected = docker.from_env()
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def base_image(server: LocalRegistry, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with a shell in it, by digest; it is in the registry, not in the engine."""
    repository = f"{server.host}/base"
    digest = push_base(client, repository, busybox(tmp_path_factory.getbasetemp() / "busybox"))
    client.images.remove(f"{repository}:base", force=True)
    yield f"{repository}@{digest}"
    remove_images(client, repository)


@pytest.fixture
def engine(client: docker.DockerClient) -> DockerEngine:
    return DockerEngine(client)


@pytest.fixture
def lines() -> list[str]:
    """What was logged."""
    return []


@pytest.fixture
def request_for(
    tmp_path: Path, base_image: str, server: LocalRegistry, client: docker.DockerClient
) -> Iterator[Callable[..., CodeImageRequest]]:
    """A request to build a context with the given Dockerfile (after its FROM) and files; the images are removed afterwards."""
    repository = f"{server.host}/code-{secrets.token_hex(4)}"
    context = tmp_path / "context"
    context.mkdir()

    def make(dockerfile: str, **files: str) -> CodeImageRequest:
        (context / "Dockerfile").write_text(f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\n{dockerfile}\n")
        for name, content in files.items():
            (context / name).write_text(content)
        return CodeImageRequest(context, base_image, f"{repository}:tree-1", {"org.opencontainers.image.revision": "abc"})

    yield make
    remove_images(client, repository)


def remove_images(client: docker.DockerClient, repository: str) -> None:
    """Remove every image of a repository from the engine, and what was built on it: steps of failed builds have no name."""
    for image in client.api.images(all=True):
        if any(name.startswith(repository) for name in [*(image["RepoTags"] or []), *(image["RepoDigests"] or [])]):
            _remove_with_children(client, image["Id"])


def _remove_with_children(client: docker.DockerClient, image: str) -> None:
    for child in client.api.images(all=True):
        if child["ParentId"] == image:
            _remove_with_children(client, child["Id"])
    # Removing the last child removes a parent without a name.
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.remove(image, force=True)


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether it comes true."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return met
