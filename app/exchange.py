"""One request and its answer, as the routes ahead of Flask see them: no more than a scoring route needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

Headers = tuple[tuple[str, str], ...]


class Call:
    """A request whose body has been read and decompressed, within the limit. environ: as PEP 3333 has it."""

    __slots__ = ("body", "environ", "method", "request_id")

    def __init__(self, environ: Mapping[str, Any], body: bytes, request_id: str = "") -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.body = body
        self.request_id = request_id

    @property
    def content_type(self) -> str:
        """The media type in small letters, without parameters; empty where none is told."""
        told: str = self.environ.get("CONTENT_TYPE") or ""
        return told.partition(";")[0].strip().lower()

    def header(self, name: str) -> str | None:
        """Return a header's value, by its usual name, such as `Accept`."""
        return self.environ.get("HTTP_" + name.upper().replace("-", "_"))

    def query(self, name: str) -> str | None:
        """Return the first value of a parameter in the address."""
        told = self.environ.get("QUERY_STRING")
        if not told:
            return None
        return next((value for key, value in parse_qsl(told, keep_blank_values=True) if key == name), None)


class Answer(NamedTuple):
    """What a handler answers with."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Headers = ()


Handler = Callable[[Call], Answer]
"""Answers a call, or raises Problem."""


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and its address.

    name: the address as documents and metrics write it, such as `/v2/models/{name}/infer`. Without one, no observer
    learns of its requests.
    """

    name: str
    path: str
    handler: Handler
    method: str = "POST"


@dataclass(slots=True)
class Ended:
    """What is known of a request once it was answered.

    route: as in Route, or Flask's rule; None where the app has no such address. seconds: how long it took, once it was
    its turn. waited: how long requests waited for their turn then, in seconds, as last measured. error: of an answer
    500, its traceback.
    trace_id: of the span that an earlier observer made.
    """

    route: str | None
    method: str
    path: str
    status: int
    seconds: float
    waited: float
    bytes_in: int
    bytes_out: int
    request_id: str
    environ: Mapping[str, Any]
    error: str | None = None
    trace_id: str | None = None


class Observer(Protocol):
    """Learns of every request that was answered. It must be quick, and may not raise."""

    def ended(self, ended: Ended) -> None:
        """Learn that a request was answered."""
