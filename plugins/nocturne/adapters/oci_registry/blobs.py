"""Layers and configurations in a registry: whether they are there, and how they get there.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-blobs
"""

import hashlib
from collections.abc import Iterator

import httpx

from nocturne.adapters.oci_registry.connection import Body, Connection, describe
from nocturne.adapters.oci_registry.layer import CHUNK
from nocturne.adapters.oci_registry.manifest import Descriptor
from nocturne.adapters.oci_registry.retry import Pause, retried
from nocturne.domain.errors import Broken

_OCTETS = {"Content-Type": "application/octet-stream"}


class Blobs:
    """The blobs of one registry. Every method tries again what fails for a moment, then raises Broken."""

    def __init__(self, connection: Connection, pause: Pause) -> None:
        self._connection = connection
        self._pause = pause

    def read(self, repository: str, digest: str) -> bytes:
        """A small blob as a whole, checked against its digest."""
        return retried(lambda: b"".join(self._chunks(repository, digest)), self._pause)

    def put(self, repository: str, digest: str, body: Body) -> int:
        """Upload a blob unless it is there. Returns the bytes that were sent: all or none."""
        return retried(lambda: self._put(repository, digest, body), self._pause)

    def bring(self, repository: str, origin: str, descriptor: Descriptor) -> int:
        """Make a blob of the repository `origin` appear in `repository`. Returns the bytes that were sent.

        None are where the registry can mount it from there; else they are streamed through us.
        """
        return retried(lambda: self._bring(repository, origin, descriptor), self._pause)

    def _noted(self, repository: str, digest: str) -> bool:
        """Whether an upload can be spared.

        A registry that was killed while it noted a blob answers 500 for it from then on, until the blob is uploaded once more.
        """
        path = f"/v2/{repository}/blobs/{digest}"
        return self._connection.send("HEAD", path, repository=repository, expect=(200, 404, 500)).status_code == 200

    def _chunks(self, repository: str, digest: str) -> Iterator[bytes]:
        sha256 = hashlib.sha256()
        path = f"/v2/{repository}/blobs/{digest}"
        with self._connection.stream("GET", path, repository=repository, expect=(200,)) as response:
            for chunk in self._connection.chunks(response, CHUNK):
                sha256.update(chunk)
                yield chunk
        if (found := f"sha256:{sha256.hexdigest()}") != digest:
            raise Broken(f"the registry handed out {found}, expected {digest}", advice="the registry's storage is damaged")

    def _put(self, repository: str, digest: str, body: Body) -> int:
        if self._noted(repository, digest):
            return 0
        path = f"/v2/{repository}/blobs/uploads/"
        started = self._connection.send("POST", path, repository=repository, expect=(202,))
        self._finish(repository, digest, body, started)
        return body.size

    def _bring(self, repository: str, origin: str, descriptor: Descriptor) -> int:
        if self._noted(repository, descriptor.digest):
            return 0
        path = f"/v2/{repository}/blobs/uploads/?mount={descriptor.digest}&from={origin}"
        answer = self._connection.send("POST", path, repository=repository, expect=(201, 202))
        if answer.status_code == 201:
            return 0
        body = Body(lambda: self._chunks(origin, descriptor.digest), descriptor.size)
        self._finish(repository, descriptor.digest, body, answer)
        return descriptor.size

    def _finish(self, repository: str, digest: str, body: Body, started: httpx.Response) -> None:
        # The address may be relative, and its own query has to stay.
        address = started.url.join(started.headers["Location"]).copy_merge_params({"digest": digest})
        answer = self._connection.send("PUT", str(address), repository=repository, expect=(201, 400), headers=_OCTETS, body=body)
        if answer.status_code == 400:
            raise Broken(
                f"the registry refuses the blob {digest}: {describe(answer) or answer.text[:200]}",
                advice="what was sent was not what was hashed: a file changed meanwhile, or was damaged on its way; try again",
            )
