import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from nocturne.adapters.oci_registry import OciRegistry
from nocturne.ports.image_registry import AppendRequest, LayerFile
from tests.integration.oci_registry.base_image import busybox, push_base
from tests.integration.oci_registry.local_registry import LocalRegistry, local_registry


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    """A registry without a login."""
    with local_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The Docker Engine of this machine."""
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static busybox."""
    return busybox(tmp_path_factory.getbasetemp() / "busybox")


@pytest.fixture(scope="session")
def base_digest(server: LocalRegistry, engine: docker.DockerClient, program: Path) -> Iterator[str]:
    """The digest of an image with a shell in it, in the repository `base`, pushed by Docker in its own flavour."""
    repository = f"{server.host}/base"
    yield push_base(engine, repository, program)
    engine.images.remove(f"{repository}:base", force=True)


@pytest.fixture
def registry(server: LocalRegistry) -> Iterator[OciRegistry]:
    adapter = OciRegistry(server.url, server.host)
    yield adapter
    adapter.close()


@pytest.fixture
def repository() -> str:
    """A repository of the test's own."""
    return f"app-{secrets.token_hex(4)}"


@pytest.fixture
def request_for(base_digest: str, repository: str) -> Callable[..., AppendRequest]:
    """A request for the base image with one small layer on top."""

    def make(**changes) -> AppendRequest:
        layer = (LayerFile("/model/model.onnx", b"weights"), LayerFile("/model/release.json", b'{"release": "r-1"}'))
        values = {
            "base": f"base@{base_digest}",
            "repository": repository,
            "layers": (layer,),
            "labels": {"org.opencontainers.image.version": "1"},
            "annotations": {"org.opencontainers.image.version": "1"},
            "tags": ("v1",),
            "created": "2026-11-20T02:00:00Z",
        }
        return AppendRequest(**(values | changes))

    return make
