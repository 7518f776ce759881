"""One request to a registry: logged in, checked, and failing in our own terms."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from nocturne.adapters.oci_registry.authorization import Authorization
from nocturne.adapters.oci_registry.challenge import parse_challenges
from nocturne.adapters.oci_registry.credentials import Credentials, CredentialsNow
from nocturne.adapters.oci_registry.retry import Transient
from nocturne.adapters.oci_registry.scope import scope_of, writing
from nocturne.adapters.oci_registry.tls_on_demand import tls_on_demand
from nocturne.domain.errors import Broken

Result = TypeVar("Result")

# A registry may move a whole blob to its place before it answers; some object stores copy no faster than this.
_COMMIT_BYTES_PER_SECOND = 20e6

_RIGHTS = (
    "check the user in the registry's connection, and its rights: reading for the base image's repository, writing for the "
    "app's (Azure: AcrPull and AcrPush; GitHub: read:packages and write:packages; Docker Hub and Harbor: pull and push)"
)


@dataclass(frozen=True)
class Body:
    """What is sent. chunks: starts from the beginning each time it is called. size: bytes of all chunks."""

    chunks: Callable[[], Iterator[bytes]]
    size: int


class Connection:
    """Requests to one registry. Raises Transient when it cannot be reached or is overloaded, Broken when it refuses."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | CredentialsNow | None,
        timeout: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/"))
        self._timeout = timeout
        # What is hashed must be what was stored: no compression on the way.
        headers = {"Accept-Encoding": "identity", "User-Agent": "nocturne"}
        transports = {"transport": transport} if transport else tls_on_demand()
        self._client = httpx.Client(timeout=timeout, headers=headers, **transports)
        self._authorization = Authorization(self._client, self._base, credentials)

    def announce_writes(self, repository: str, source: str) -> None:
        """Say that an image is going to be put into `repository`, with layers of `source`: its login is made for that at once."""
        self._authorization.announce(repository, writing(repository, source))

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
            if _wants_login(response):
                response.close()
                needed = scope_of(method, repository, url.params.get("from"))
                self._authorization.answer(response.headers.get_list("www-authenticate"), repository, needed)
                response = self._once(method, url, repository, headers, body)
            self._check(method, response, repository, expect)
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

    def _check(self, method: str, response: httpx.Response, repository: str, expect: Collection[int]) -> None:
        if response.status_code in expect:
            return
        self._guard(response.read)
        wanted = " or ".join(map(str, sorted(expect)))
        message = f"the registry answers {response.status_code} to {method} {response.url.path}, expected {wanted}"
        message += f": {faults}" if (faults := describe(response)) else ""
        if response.status_code == 429 or response.status_code >= 500:
            raise Transient(message, after=_wanted_pause(response))
        if response.status_code in (401, 403):
            message += f" ({shortfall})" if (shortfall := self._authorization.shortfall(repository)) else ""
            raise Broken(message, advice=_RIGHTS)
        raise Broken(message)


def describe(response: httpx.Response) -> str:
    """What the registry says went wrong: its error codes and messages, or nothing.

    Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
    """
    try:
        faults = response.json()["errors"]
        return "; ".join(f"{fault['code']} {fault.get('message', '')}".strip() for fault in faults)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _wants_login(response: httpx.Response) -> bool:
    """401, or 403 from a registry that keeps to RFC 6750 (section 3.1) where a token allows too little."""
    if response.status_code != 403:
        return response.status_code == 401
    challenges = parse_challenges(response.headers.get_list("www-authenticate"))
    return any(challenge.parameters.get("error") == "insufficient_scope" for challenge in challenges)


def _wanted_pause(response: httpx.Response) -> float | None:
    try:
        return max(float(response.headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):
        return None
