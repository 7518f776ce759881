import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from tests.integration.server_image.server_image import build_once, context, ensure_base

IMAGE = "nocturne-test/server:bookworm"

Name = Callable[[], str]


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The Docker Engine of this machine; a build may be silent for long."""
    connected = docker.from_env(timeout=600)
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def base(client: docker.DockerClient) -> str:
    """A plain Debian with Python, kept from one run of the tests to the next."""
    return ensure_base(client)


@pytest.fixture(scope="session")
def clone(client: docker.DockerClient, base: str) -> Iterator[Path]:
    """A copy of what the image is made of: nobody who edits the clone meanwhile changes what these tests compare."""
    with context(client, base) as folder:
        yield folder


@pytest.fixture(scope="session")
def image(client: docker.DockerClient, base: str, clone: Path) -> str:
    """The server's image of that copy, kept from one run of the tests to the next."""
    build_once(client, clone, base, IMAGE)
    return IMAGE


@pytest.fixture
def new_name(client: docker.DockerClient) -> Iterator[Name]:
    """`new_name()`: a name for an image of a test's own, which is removed with it."""
    names: list[str] = []

    def new() -> str:
        names.append(f"nocturne-test/server-{secrets.token_hex(4)}:test")
        return names[-1]

    yield new
    for name in reversed(names):
        with contextlib.suppress(ImageNotFound):
            client.images.remove(name, force=True)
