import json

import pytest

from nocturne.adapters.oci_registry import OciRegistry
from nocturne.ports.image_registry import AppendRequest, LayerFile
from tests.unit.adapters.oci_registry.fake_registry import FakeRegistry, sha256

BASE_LAYER = b"the base image's only layer"


@pytest.fixture
def fake() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def registry(fake: FakeRegistry, pauses: list[float]) -> OciRegistry:
    return OciRegistry("http://registry.test", "registry.test", transport=fake, pause=pauses.append)


@pytest.fixture
def base(fake: FakeRegistry) -> str:
    """An image as Docker pushes it, in the repository `base`."""
    docker = "application/vnd.docker"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{docker}.distribution.manifest.v2+json",
        "config": {"mediaType": f"{docker}.container.image.v1+json"},
        "layers": [{"mediaType": f"{docker}.image.rootfs.diff.tar.gzip"}],
    }
    config = {
        "architecture": "amd64",
        "config": {"Labels": {"who": "base", "kept": "yes"}, "Healthcheck": {"Test": ["CMD", "true"]}},
        "history": [{"created_by": "COPY"}, {"created_by": "CMD", "empty_layer": True}],
        "rootfs": {"type": "layers", "diff_ids": [sha256(b"unpacked")]},
    }
    return f"base@{fake.add('base', manifest, json.loads(json.dumps(config)), BASE_LAYER)}"


@pytest.fixture
def request_for(base: str):
    """A request for the base image with one layer on top."""

    def make(**changes) -> AppendRequest:
        layer = (LayerFile("/model/model.onnx", b"weights"), LayerFile("/model/release.json", b"{}"))
        values = {
            "base": base,
            "repository": "app",
            "layers": (layer,),
            "labels": {"who": "release"},
            "annotations": {"org.opencontainers.image.version": "1"},
            "tags": ("v1",),
            "created": "2026-11-20T02:00:00Z",
        }
        return AppendRequest(**(values | changes))

    return make
