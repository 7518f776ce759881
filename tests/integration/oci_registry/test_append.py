"""The appended image is what Docker pulls and runs."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import docker
import httpx
import pytest

from nocturne.adapters.oci_registry import OciRegistry
from nocturne.domain.errors import Broken, NotFound
from nocturne.ports.image_registry import AppendRequest, LayerFile
from tests.containers import printed
from tests.integration.oci_registry.local_registry import LocalRegistry
from tests.ports import free_port

pytestmark = pytest.mark.docker
RequestFor = Callable[..., AppendRequest]


def shell(engine: docker.DockerClient, image: str, *command: str) -> str:
    """What a command prints in a container of the image, which the engine pulls first."""
    engine.images.pull(image)
    try:
        return printed(engine, image, command, network_mode="none")
    finally:
        engine.images.remove(image, force=True)


def test_docker_pulls_and_runs_what_was_appended(registry: OciRegistry, engine: docker.DockerClient, request_for: RequestFor):
    """The new files are there with fixed modes and times, and the base's files still are."""
    appended = registry.append(request_for())
    listing = shell(engine, registry.full(appended.image), "/bin/sh", "-c", "cat /model/*; ls -ln /model /bin/busybox")
    assert 'weights{"release": "r-1"}' in listing
    assert "-rw-r--r--    1 0        0                7 Jan  1  1970 model.onnx" in listing
    assert "/bin/busybox" in listing


def test_docker_sees_labels_and_health_check(registry: OciRegistry, engine: docker.DockerClient, request_for: RequestFor):
    """Turning Docker's manifest into OCI's loses nothing that Docker goes by: labels, HEALTHCHECK, command, environment."""
    image = registry.full(registry.append(request_for()).image)
    settings = engine.images.pull(image).attrs["Config"]
    engine.images.remove(image, force=True)
    assert settings["Labels"] == {"who": "base", "org.opencontainers.image.version": "1"}
    assert settings["Healthcheck"]["Test"] == ["CMD", "/bin/echo", "well"]
    assert settings["Cmd"] == ["/bin/sh"]
    assert registry.labels(f"{request_for().repository}:v1") == settings["Labels"]


def test_an_appended_image_is_a_base_like_any_other(registry: OciRegistry, engine: docker.DockerClient, request_for: RequestFor):
    """Layers go on top of an OCI image as they do on one of Docker's, and the upper file wins."""
    first = registry.append(request_for())
    upper = (LayerFile("/model/model.onnx", b"heavier"),)
    second = registry.append(request_for(base=first.image, layers=(upper,)))
    assert shell(engine, registry.full(second.image), "/bin/cat", "/model/model.onnx") == "heavier"


def test_the_same_request_moves_nothing_the_second_time(registry: OciRegistry, server: LocalRegistry, request_for: RequestFor):
    """Same digest, no bytes, and the registry saw neither POST nor PUT."""
    first = registry.append(request_for())
    before = len(server.log.read_text())
    second = registry.append(request_for())
    assert (second.image, second.moved_bytes) == (first.image, 0)
    seen = server.log.read_text()[before:]
    assert "HEAD /v2/" in seen
    assert not re.search("(POST|PUT|PATCH) /v2/", seen)


def test_the_base_comes_from_another_repository_without_moving(registry: OciRegistry, request_for: RequestFor):
    """The base's layers are mounted: what moves is the new layer, the configuration and the manifests."""
    appended = registry.append(request_for())
    assert appended.moved_bytes < 10_000
    assert appended.present_bytes > 500_000


def test_a_model_of_100_mib_is_moved_once(
    registry: OciRegistry, request_for: RequestFor, tmp_path: Path, record_property: Callable[[str, object], None]
):
    """A release step spends its time on moving the model, and none when the model is there already."""
    model = tmp_path / "model.onnx"
    model.write_bytes(os.urandom(100 << 20))
    request = request_for(layers=((LayerFile("/model/model.onnx", model),),))
    seconds, moved = [], []
    for _ in range(2):
        start = time.perf_counter()
        appended = registry.append(request)
        seconds.append(time.perf_counter() - start)
        moved.append(appended.moved_bytes)
    # Measured at 0.6 s and 0.09 s on two cores; what a busy machine takes says nothing.
    record_property("append_100_mib_seconds", seconds)
    assert moved[0] > 100 << 20
    assert moved[1] == 0


def test_a_missing_image_has_no_digest_and_no_labels(registry: OciRegistry):
    """Asking whether a tag exists is no error; asking for what is in it is."""
    assert registry.digest("app:missing") is None
    with pytest.raises(NotFound, match="no image"):
        registry.labels("app:missing")


def test_a_digest_is_the_one_that_docker_pushed(registry: OciRegistry, base_digest: str):
    """Tag and digest lead to the same image."""
    assert registry.digest("base:base") == registry.digest(f"base@{base_digest}") == base_digest


def test_a_registry_that_is_not_there_is_broken():
    """After its tries the adapter says which address it could not reach."""
    url = f"http://localhost:{free_port()}"
    with pytest.raises(Broken, match=f"{url} cannot be reached"):
        OciRegistry(url, "localhost", pause=lambda _: None).digest("app:v1")


def test_what_the_registry_refuses_is_told_in_its_words(server: LocalRegistry, registry: OciRegistry, request_for: RequestFor):
    """The registry itself checks a blob against its digest, which is what the adapter relies on."""
    started = httpx.post(f"{server.url}/v2/{request_for().repository}/blobs/uploads/")
    digest = f"sha256:{'0' * 64}"
    refused = httpx.put(started.headers["Location"] + f"&digest={digest}", content=b"other")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")
