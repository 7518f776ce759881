import json

import pytest

from nocturne.adapters.oci_registry.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST, parse_manifest
from nocturne.domain.errors import Broken, Rejected

DIGEST = f"sha256:{'a' * 64}"


def manifest(**changes) -> bytes:
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": DIGEST, "size": 2}
    layer = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": DIGEST, "size": 3}
    foreign = {**layer, "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "urls": ["https://owner.test/"]}
    values = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": config, "layers": [layer, foreign]}
    return json.dumps(values | changes).encode()


def test_dockers_media_types_become_ocis():
    """Docker's flavour has no annotations, so what is written is OCI's, and all of its media types with it."""
    written = json.loads(parse_manifest(manifest(), DOCKER_MANIFEST, "app").to_json())
    assert written["mediaType"] == OCI_MANIFEST
    assert written["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    assert [layer["mediaType"] for layer in written["layers"]] == [
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ]
    assert written["layers"][1]["urls"] == ["https://owner.test/"]


def test_an_oci_manifest_may_leave_its_type_to_the_header():
    """`mediaType` is optional in OCI's manifest; the Content-Type then says what it is."""
    raw = json.loads(manifest())
    del raw["mediaType"]
    assert len(parse_manifest(json.dumps(raw).encode(), f"{OCI_MANIFEST}; charset=utf-8", "app").layers) == 2


def test_what_was_written_is_read_back_as_the_same():
    """Writing and reading change nothing."""
    first = parse_manifest(manifest(annotations={"b": "1", "a": "ü"}), "", "app")
    assert parse_manifest(first.to_json(), "", "app") == first


def test_an_index_is_rejected_with_the_images_in_it():
    """An index stands for several images; the error lists which could be meant."""
    arm = {"digest": DIGEST, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}
    index = json.dumps({"mediaType": DOCKER_LIST, "manifests": [arm]}).encode()
    with pytest.raises(Rejected, match="app is an index of 1 images") as error:
        parse_manifest(index, "", "app")
    assert f"linux/arm64/v8 {DIGEST}" in error.value.advice


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"<html>", Broken, "not JSON"),
        (b"[]", Broken, "expected a JSON object"),
        (manifest(layers=[{"mediaType": "x"}]), Broken, "not a whole manifest"),
        (manifest(mediaType="application/vnd.docker.distribution.manifest.v1+json"), Rejected, "is of type"),
    ],
)
def test_what_is_no_image_is_an_error_that_names_it(content: bytes, kind: type[Exception], message: str):
    """Whatever stands where a manifest should be is reported, not guessed at."""
    with pytest.raises(kind, match=f"app .*{message}|{message}"):
        parse_manifest(content, "", "app")
