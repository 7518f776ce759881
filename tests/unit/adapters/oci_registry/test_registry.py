import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from nocturne.adapters.oci_registry import OciRegistry
from nocturne.adapters.oci_registry.manifest import OCI_INDEX
from nocturne.domain.errors import Broken, NotFound, Rejected
from nocturne.ports.image_registry import AppendRequest, LayerFile
from tests.unit.adapters.oci_registry.fake_registry import FakeRegistry, sha256

RequestFor = Callable[..., AppendRequest]


def uploads(fake: FakeRegistry) -> list[str]:
    return [path for path in fake.sent("PUT") if "blobs" in path]


def times(count: int, answer: Callable[[], httpx.Response], matches: Callable[[httpx.Request], bool]):
    """Trouble for the first `count` requests that match."""
    left = [count]

    def trouble(request: httpx.Request) -> httpx.Response | None:
        if not matches(request) or not left[0]:
            return None
        left[0] -= 1
        return answer()

    return trouble


def cut_off() -> httpx.Response:
    raise httpx.ReadError("cut off")


def test_the_new_image_is_the_base_with_one_layer_more(registry: OciRegistry, fake: FakeRegistry, request_for: RequestFor):
    """Layers, labels, annotations, time and tag are where an OCI image has them."""
    appended = registry.append(request_for())
    kind, content = fake.manifests["app", "v1"]
    manifest = json.loads(content)
    config = json.loads(fake.blobs["app", manifest["config"]["digest"]])
    assert appended.image == f"app@{sha256(content)}"
    assert kind == manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["annotations"] == {"org.opencontainers.image.version": "1"}
    assert manifest["layers"][1]["mediaType"] == "application/vnd.oci.image.layer.v1.tar"
    assert config["rootfs"]["diff_ids"] == [sha256(b"unpacked"), manifest["layers"][1]["digest"]]
    assert config["config"]["Labels"] == {"who": "release", "kept": "yes"}
    assert config["created"] == "2026-11-20T02:00:00Z"
    assert registry.labels("app:v1") == {"who": "release", "kept": "yes"}


def test_asking_twice_moves_nothing(registry: OciRegistry, fake: FakeRegistry, request_for: RequestFor):
    """The same request gives the same digest, and what is there is not sent again."""
    first = registry.append(request_for())
    before = len(fake.sent("PUT"))
    second = registry.append(request_for())
    assert (second.image, second.moved_bytes) == (first.image, 0)
    manifest = len(fake.manifests["app", "v1"][1])
    assert second.present_bytes == manifest + sum(len(blob) for (repository, _), blob in fake.blobs.items() if repository == "app")
    assert len(fake.sent("PUT")) == before


def test_only_labels_changed_moves_no_layer(registry: OciRegistry, fake: FakeRegistry, request_for: RequestFor):
    """A new configuration around the same model sends the configuration alone."""
    first = registry.append(request_for())
    sent = len(uploads(fake))
    second = registry.append(request_for(labels={"who": "someone"}))
    assert second.image != first.image
    assert len(uploads(fake)) == sent + 1


def test_a_tag_that_moved_is_moved_back(registry: OciRegistry, fake: FakeRegistry, request_for: RequestFor):
    """An image that exists still gets the names that were asked for."""
    first = registry.append(request_for())
    other = registry.append(request_for(labels={"who": "someone"}))
    assert f"app@{registry.digest('app:v1')}" == other.image
    registry.append(request_for())
    assert f"app@{registry.digest('app:v1')}" == first.image


@pytest.mark.parametrize("mounts", [True, False])
def test_layers_of_another_repository_are_mounted_or_copied(
    registry: OciRegistry, fake: FakeRegistry, request_for: RequestFor, mounts: bool
):
    """The base's layers come to the image's repository, through us only where the registry cannot mount."""
    fake.mounts = mounts
    registry.append(request_for())
    layer = sha256(b"the base image's only layer")
    assert fake.blobs["app", layer] == b"the base image's only layer"
    assert len(uploads(fake)) == (2 if mounts else 3)


@pytest.mark.parametrize("answer", [lambda: httpx.Response(503), lambda: httpx.Response(429), cut_off])
def test_what_fails_for_a_moment_is_tried_again(
    registry: OciRegistry,
    fake: FakeRegistry,
    request_for: RequestFor,
    pauses: list[float],
    answer: Callable[[], httpx.Response],
):
    """Lost connections, 5xx and 429 in the middle of an upload begin it anew, and the image is whole."""
    fake.trouble = times(2, answer, lambda request: request.method == "PUT" and "uploads" in request.url.path)
    registry.append(request_for())
    assert pauses == [0.5, 1.0]
    assert registry.labels("app:v1")["who"] == "release"


def test_a_registry_that_stays_away_is_broken(registry: OciRegistry, fake: FakeRegistry, pauses: list[float]):
    """After a few tries the step fails, with the registry's address and what to look at."""
    fake.trouble = times(99, cut_off, lambda request: True)
    with pytest.raises(Broken, match=r"http://registry.test cannot be reached: cut off") as error:
        registry.digest("app:v1")
    assert error.value.advice
    assert len(pauses) == 3


def test_a_refusal_is_told_in_the_registrys_words_and_not_tried_again(
    registry: OciRegistry, fake: FakeRegistry, request_for: RequestFor, pauses: list[float]
):
    """403 is not a matter of waiting; the message has the registry's code."""
    denied = httpx.Response(403, json={"errors": [{"code": "DENIED", "message": "quota"}]})
    fake.trouble = times(1, lambda: denied, lambda request: request.method == "POST")
    with pytest.raises(Broken, match=r"403 to POST .*DENIED quota"):
        registry.append(request_for())
    assert pauses == []


def test_a_file_that_changes_unseen_is_refused_by_the_registry(
    registry: OciRegistry, request_for: RequestFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where size and time tell nothing, the registry's own check of the digest does."""
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    request = request_for(layers=((LayerFile("/weights", file),),))
    monkeypatch.setattr("nocturne.adapters.oci_registry.layer._state", lambda path: (3, 0, 0))
    exists = registry._blobs.put

    def overwrite_first(*arguments) -> int:
        file.write_bytes(b"two")
        return exists(*arguments)

    monkeypatch.setattr(registry._blobs, "put", overwrite_first)
    with pytest.raises(Broken, match=r"refuses the blob .*DIGEST_INVALID"):
        registry.append(request)


def test_a_base_that_is_not_there_is_not_found(registry: OciRegistry, request_for: RequestFor):
    """The message names the image as people pull it."""
    missing = f"base@sha256:{'0' * 64}"
    with pytest.raises(NotFound, match=f"no image registry.test/{missing}"):
        registry.append(request_for(base=missing))


def test_an_index_as_base_is_rejected(registry: OciRegistry, fake: FakeRegistry, request_for: RequestFor):
    """Which platform's image is meant is not guessed."""
    index = fake.add_manifest("base", {"mediaType": OCI_INDEX, "manifests": []})
    with pytest.raises(Rejected, match="is an index"):
        registry.append(request_for(base=f"base@{index}"))


def test_damage_in_the_registry_is_noticed(registry: OciRegistry, fake: FakeRegistry, base: str):
    """What is handed out under a digest is checked against it: manifests and configurations."""
    repository, digest = base.split("@")
    kind, content = fake.manifests[repository, digest]
    config = json.loads(content)["config"]["digest"]
    fake.blobs[repository, config] += b" "
    with pytest.raises(Broken, match=f"handed out .*, expected {config}"):
        registry.labels(base)
    fake.manifests[repository, digest] = (kind, content + b" ")
    with pytest.raises(Broken, match=f"handed out .*, expected .*{digest}"):
        registry.labels(base)


def test_there_is_no_digest_for_an_unknown_name(registry: OciRegistry):
    """A tag that does not exist is an answer, not an error."""
    assert registry.digest("app:unknown") is None


def test_a_registry_that_sends_no_digest_is_asked_for_the_content(registry: OciRegistry, fake: FakeRegistry, base: str):
    """The Docker-Content-Digest header is optional; the digest is then that of the manifest's bytes."""
    content = fake.manifests["base", base.partition("@")[2]][1]
    fake.trouble = lambda request: httpx.Response(200, content=b"" if request.method == "HEAD" else content)
    assert registry.digest("base:latest") == base.partition("@")[2]


def test_the_full_reference_has_the_host(registry: OciRegistry):
    """An engine pulls from the registry's host, which need not be where its API is."""
    assert registry.full("app:v1") == "registry.test/app:v1"
