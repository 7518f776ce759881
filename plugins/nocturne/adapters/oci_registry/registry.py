"""The registry as the release steps use it."""

import time
from functools import partial
from typing import Any

import httpx

from nocturne.adapters.oci_registry import configuration, reference
from nocturne.adapters.oci_registry.blobs import Blobs
from nocturne.adapters.oci_registry.connection import Body, Connection
from nocturne.adapters.oci_registry.credentials import Credentials, CredentialsNow
from nocturne.adapters.oci_registry.layer import Layer, measure
from nocturne.adapters.oci_registry.manifest import (
    ACCEPT,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    parse_manifest,
    parse_object,
)
from nocturne.adapters.oci_registry.reference import Reference
from nocturne.adapters.oci_registry.retry import Pause, retried
from nocturne.domain import digest as digests
from nocturne.domain.errors import Broken, NotFound
from nocturne.ports.image_registry import Appended, AppendRequest, ImageRegistry


class OciRegistry(ImageRegistry):
    """A registry that speaks the OCI distribution API.

    base_url: where its API is, like `http://localhost:5000`. host: what stands before the repository where images are pulled,
    like `localhost:5000`. credentials: a value, or a function that gives those of the moment. timeout: seconds without a
    byte before a request is given up.
    """

    def __init__(
        self,
        base_url: str,
        host: str,
        credentials: Credentials | CredentialsNow | None = None,
        timeout: float = 60.0,
        *,
        pause: Pause = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._host = host
        self._pause = pause
        self._connection = Connection(base_url, credentials, timeout, transport)
        self._blobs = Blobs(self._connection, pause)

    def close(self) -> None:
        """Give the connections back."""
        self._connection.close()

    def full(self, reference: str) -> str:
        """The reference with the registry's host."""
        return f"{self._host}/{reference}"

    def digest(self, reference: str) -> str | None:
        """The digest that a reference stands for now, None when there is no such image."""
        return self._digest(_parse(reference))

    def labels(self, reference: str) -> dict[str, str]:
        """The labels in the image's configuration. Raises NotFound, Rejected for an index."""
        image = _parse(reference)
        return configuration.labels(self._configuration(image, self._manifest(image)))

    def append(self, request: AppendRequest) -> Appended:
        """Put layers on an image: everything is hashed first, and only what the registry does not have is sent."""
        base, tags = _parse(request.base), [reference.check_tag(tag) for tag in request.tags]
        repository = reference.check_repository(request.repository)
        self._connection.announce_writes(repository, base.repository)
        below = self._manifest(base)
        layers = [measure(files) for files in request.layers]
        settings = configuration.extended(
            self._configuration(base, below), layers, request.labels, request.created, len(below.layers)
        )
        manifest = _manifest_of(below, settings, layers, request)
        image = Reference(repository, digests.of_bytes(manifest.to_json()))
        moved = 0
        if self._digest(image) is None:
            moved = self._put_blobs(base, below, image, layers, settings) + self._put_manifest(image, manifest)
        named = sum(self._tag(image, tag, manifest) for tag in tags)
        return Appended(str(image), moved + named, _size(manifest) - moved)

    def _put_blobs(self, base: Reference, below: Manifest, image: Reference, layers: list[Layer], settings: bytes) -> int:
        moved = 0
        if base.repository != image.repository:
            kept = [layer for layer in below.layers if layer.distributable]
            moved += sum(self._blobs.bring(image.repository, base.repository, layer) for layer in kept)
        for layer in layers:
            moved += self._blobs.put(image.repository, layer.digest, Body(layer.chunks, layer.size))
        return moved + self._blobs.put(image.repository, digests.of_bytes(settings), _body(settings))

    def _tag(self, image: Reference, tag: str, manifest: Manifest) -> int:
        name = Reference(image.repository, tag)
        return 0 if self._digest(name) == image.version else self._put_manifest(name, manifest)

    def _put_manifest(self, name: Reference, manifest: Manifest) -> int:
        content, path = manifest.to_json(), f"/v2/{name.repository}/manifests/{name.version}"
        send = partial(self._connection.send, "PUT", path, repository=name.repository, expect=(201,))
        retried(lambda: send(headers={"Content-Type": OCI_MANIFEST}, body=_body(content)), self._pause)
        return len(content)

    def _digest(self, image: Reference) -> str | None:
        answer = self._get("HEAD", image)
        if answer.status_code == 404:
            return None
        # The header is optional in the specification; the content then tells.
        return str(answer.headers.get("Docker-Content-Digest") or digests.of_bytes(self._get("GET", image).content))

    def _manifest(self, image: Reference) -> Manifest:
        answer = self._get("GET", image)
        name = self.full(str(image))
        if answer.status_code == 404:
            raise NotFound(f"the registry has no image {name}", advice="push it first, or correct its name")
        if image.by_digest and (found := digests.of_bytes(answer.content)) != image.version:
            raise Broken(f"the registry handed out {found}, expected {name}", advice="the registry's storage is damaged")
        return parse_manifest(answer.content, answer.headers.get("Content-Type", ""), name)

    def _get(self, method: str, image: Reference) -> httpx.Response:
        path = f"/v2/{image.repository}/manifests/{image.version}"
        send = partial(self._connection.send, method, path, repository=image.repository)
        return retried(lambda: send(expect=(200, 404), headers={"Accept": ACCEPT}), self._pause)

    def _configuration(self, image: Reference, manifest: Manifest) -> dict[str, Any]:
        content = self._blobs.read(image.repository, manifest.config.digest)
        return parse_object(content, f"the configuration of {self.full(str(image))}")


def _parse(text: str) -> Reference:
    return reference.parse(text)


def _body(content: bytes) -> Body:
    return Body(lambda: iter([content]), len(content))


def _manifest_of(below: Manifest, settings: bytes, layers: list[Layer], request: AppendRequest) -> Manifest:
    config = Descriptor(below.config.media_type, digests.of_bytes(settings), len(settings), {})
    added = tuple(Descriptor(OCI_LAYER, layer.digest, layer.size, {}) for layer in layers)
    return Manifest(config, below.layers + added, {**below.annotations, **request.annotations})


def _size(manifest: Manifest) -> int:
    """Bytes of everything that an image consists of."""
    return len(manifest.to_json()) + manifest.config.size + sum(layer.size for layer in manifest.layers)
