"""A registry in memory, behind httpx's transport: as much of the distribution API as uploads and downloads need."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

_PATH = re.compile(r"/v2/(?P<repository>.+?)/(?P<kind>manifests|blobs/uploads|blobs)/(?P<name>.*)")
Trouble = Callable[[httpx.Request], httpx.Response | None]


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class FakeRegistry(httpx.BaseTransport):
    """blobs, manifests: what is there, by repository and name. trouble: may answer, or raise, in the registry's place.

    mounts: whether blobs can be mounted from another repository. upload_host: where uploads are sent to.
    """

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    trouble: Trouble = lambda request: None
    mounts: bool = True
    upload_host: str = ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if (answer := self.trouble(request)) is not None:
            return answer
        match = _PATH.fullmatch(request.url.path)
        assert match, request.url
        handler = {"manifests": self._manifest, "blobs": self._blob, "blobs/uploads": self._upload}[match["kind"]]
        return handler(request, match["repository"], match["name"])

    def add(self, repository: str, manifest: dict, config: dict, *layers: bytes) -> str:
        """Put an image there, with the digests of its parts filled in; its digest."""
        content = json.dumps(config).encode()
        for blob in (content, *layers):
            self.blobs[repository, sha256(blob)] = blob
        manifest["config"] |= {"digest": sha256(content), "size": len(content)}
        for descriptor, layer in zip(manifest["layers"], layers, strict=True):
            descriptor |= {"digest": sha256(layer), "size": len(layer)}
        return self.add_manifest(repository, manifest)

    def add_manifest(self, repository: str, manifest: dict) -> str:
        content = json.dumps(manifest).encode()
        self.manifests[repository, sha256(content)] = (manifest["mediaType"], content)
        return sha256(content)

    def sent(self, method: str) -> list[str]:
        return [request.url.path for request in self.requests if request.method == method]

    def _manifest(self, request: httpx.Request, repository: str, name: str) -> httpx.Response:
        if request.method == "PUT":
            content = b"".join(_stream(request))
            kind = request.headers["Content-Type"]
            self.manifests |= {(repository, name): (kind, content), (repository, sha256(content)): (kind, content)}
            return httpx.Response(201)
        if (repository, name) not in self.manifests:
            return httpx.Response(404)
        kind, content = self.manifests[repository, name]
        return httpx.Response(200, headers={"Content-Type": kind, "Docker-Content-Digest": sha256(content)}, content=content)

    def _blob(self, request: httpx.Request, repository: str, name: str) -> httpx.Response:
        content = self.blobs.get((repository, name))
        return httpx.Response(404) if content is None else httpx.Response(200, content=content)

    def _upload(self, request: httpx.Request, repository: str, name: str) -> httpx.Response:
        query = request.url.params
        if request.method == "POST":
            source = (query.get("from", ""), query.get("mount", ""))
            if self.mounts and source in self.blobs:
                self.blobs[repository, query["mount"]] = self.blobs[source]
                return httpx.Response(201)
            location = f"{self.upload_host}/v2/{repository}/blobs/uploads/1?_state=a%3Db"
            return httpx.Response(202, headers={"Location": location})
        content = b"".join(_stream(request))
        assert query["_state"] == "a=b"
        assert int(request.headers["Content-Length"]) == len(content)
        if sha256(content) != query["digest"]:
            return httpx.Response(400, json={"errors": [{"code": "DIGEST_INVALID", "message": "did not match"}]})
        self.blobs[repository, query["digest"]] = content
        return httpx.Response(201)


def _stream(request: httpx.Request) -> Iterator[bytes]:
    assert isinstance(request.stream, httpx.SyncByteStream)
    return iter(request.stream)
