"""One request to a registry: logged in, checked, and failing in our own terms."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from nocturne.adapters.oci_registry.authorization import Authorization, Credentials
from nocturne.adapters.oci_registry.retry import Transient
from nocturne.adapters.oci_registry.tls_on_demand import TlsOnDemand
from nocturne.domain.errors import Broken

Result = TypeVar("Result")

# A registry may move a whole blob to its place before it answers; some object stores copy no faster than this.
_COMMIT_BYTES_PER_SECOND = 20e6


@dataclass(frozen=True)
class Body:
    """What is sent. chunks: starts from the beginning each time it is called. size: bytes of all chunks."""

    chunks: Callable[[], Iterator[bytes]]
    size: int


class Connection:
    """Requests to one registry. Raises Transient when it cannot be reached or is overloaded, Broken when it refuses."""

    def __init__(
        self, base_url: str, credentials: Credentials | None, timeout: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/"))
        self._timeout = timeout
        # What is hashed must be what was stored: no compression on the way.
        headers = {"Accept-Encoding": "identity", "User-Agent": "nocturne"}
        mounts = None if transport else {"https://": TlsOnDemand()}
        plain = transport or httpx.HTTPTransport(verify=False)  # for http:// alone, which has no certificates
        self._client = httpx.Client(timeout=timeout, headers=headers, transport=plain, mounts=mounts)
        self._authorization = Authorization(self._client, self._base, credentials)

    def send(
        self,
        method: str,
        path: str,
        *,
        repository: str,
        expect: Collection[int],
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> httpx.Response:
        """The answer to a request, whose status is one of `expect`. path: below the base address, or a whole URL."""
        with self.stream(method, path, repository=repository, expect=expect, headers=headers, body=body) as response:
            self._guard(response.read)
        return response

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        repository: str,
        expect: Collection[int],
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Iterator[httpx.Response]:
        """Like `send`, with the answer's content still to be read through `chunks`."""
        url = self._base.join(path)
        response = self._once(method, url, repository, headers, body)
        try:
            if response.status_code == 401:
                asked = response.headers.get_list("www-authenticate")
                response.close()
                self._authorization.answer(asked, repository)
                response = self._once(method, url, repository, headers, body)
            self._check(method, response, expect)
            yield response
        finally:
            response.close()

    def chunks(self, response: httpx.Response, size: int) -> Iterator[bytes]:
        """The content of a streamed answer in pieces of `size` bytes."""
        pieces = response.iter_bytes(size)
        while (piece := self._guard(lambda: next(pieces, None))) is not None:
            yield piece

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _once(
        self, method: str, url: httpx.URL, repository: str, headers: Mapping[str, str] | None, body: Body | None
    ) -> httpx.Response:
        timeout = httpx.Timeout(self._timeout)
        sent = dict(headers or {})
        content = None
        if body is not None:
            timeout = httpx.Timeout(self._timeout, read=self._timeout + body.size / _COMMIT_BYTES_PER_SECOND)
            sent["Content-Length"] = str(body.size)
            content = body.chunks()
        request = self._client.build_request(method, url, headers=sent, content=content, timeout=timeout)
        auth = self._authorization.auth(url, repository)
        # A body that is streamed cannot be sent to a second place.
        return self._guard(lambda: self._client.send(request, auth=auth, stream=True, follow_redirects=body is None))

    def _guard(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except httpx.TransportError as error:
            raise Transient(
                f"the registry at {self._base} cannot be reached: {error or type(error).__name__}",
                advice="check that it runs and that its address is right",
            ) from error

    def _check(self, method: str, response: httpx.Response, expect: Collection[int]) -> None:
        if response.status_code in expect:
            return
        self._guard(response.read)
        wanted = " or ".join(map(str, sorted(expect)))
        message = f"the registry answers {response.status_code} to {method} {response.url.path}, expected {wanted}"
        message += f": {faults}" if (faults := describe(response)) else ""
        if response.status_code == 429 or response.status_code >= 500:
            raise Transient(message, after=_wanted_pause(response))
        advice = "check the user and its rights in the registry's connection" if response.status_code in (401, 403) else ""
        raise Broken(message, advice=advice)


def describe(response: httpx.Response) -> str:
    """What the registry says went wrong: its error codes and messages, or nothing.

    Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
    """
    try:
        faults = response.json()["errors"]
        return "; ".join(f"{fault['code']} {fault.get('message', '')}".strip() for fault in faults)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _wanted_pause(response: httpx.Response) -> float | None:
    try:
        return max(float(response.headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):
        return None
