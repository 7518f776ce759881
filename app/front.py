"""What stands ahead of Flask: it answers the routes that must be fast, and gives every answer what all have in common.

Flask needs longer to find and call a view than a small model to answer. So the scoring routes are looked up in a table
first, and all others are Flask's. Problems, headers and observers are the same for both.
"""

import logging
import math
import os
import random
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from app.compression import decompress
from app.drain import DrainFlag
from app.exchange import Answer, Call, Ended, Headers, Observer, Route
from app.limits import Limits
from app.problems import Problem
from app.request_body import read_body
from app.watch import Waits

ROUTE = "app.route"
"""Where Flask's rule is noted in a request's environment, for observers."""

ERROR = "app.error"
"""Where the traceback of a view that failed is noted."""

log = logging.getLogger(__name__)

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

StartResponse = Callable[..., Any]


class Wsgi(Protocol):
    """A WSGI application (PEP 3333)."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""


class Front:
    """The WSGI application that the server calls.

    release: what `X-Release` says. waits: where the queue is measured.
    """

    def __init__(
        self,
        flask: Wsgi,
        routes: Sequence[Route],
        leaving: DrainFlag,
        release: str,
        limits: Limits,
        waits: Waits | None = None,
    ) -> None:
        self._flask = flask
        self._routes: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._routes.setdefault(route.path, {})[route.method] = route
        self._leaving = leaving
        self._limits = limits
        self._waits = waits or Waits()
        self._row = self._waits.join(os.getpid())
        self._at_work: dict[int, float] = {}
        self._always = common_headers(release)
        self.observers: list[Observer] = []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        began = time.monotonic()
        request_id = _request_id(environ.get("HTTP_X_REQUEST_ID"))
        methods = self._routes.get(environ["PATH_INFO"])
        thread = threading.get_ident()
        self._at_work[thread] = began
        self._note_oldest()
        try:
            if methods is None:
                return self._by_flask(environ, start_response, began, request_id)
            return self._by_route(environ, start_response, began, request_id, methods)
        finally:
            del self._at_work[thread]
            self._note_oldest()

    def _note_oldest(self) -> None:
        """Note since when the thread is at work that is longest at one request."""
        # No other thread gets its turn within `min`, and the watch's own request soon corrects what is noted too late.
        self._waits.busy(self._row, min(self._at_work.values(), default=0.0))

    def _by_route(
        self,
        environ: dict[str, Any],
        start_response: StartResponse,
        began: float,
        request_id: str,
        methods: Mapping[str, Route],
    ) -> Iterable[bytes]:
        route = methods.get(environ["REQUEST_METHOD"])
        body, waited, error = b"", 0.0, None
        try:
            if route is None:
                answer = _other_method(environ["REQUEST_METHOD"], methods)
            else:
                # The watch itself must get through, or nobody would learn that the queue is short again.
                waited = self._wait() if route.name else 0.0
                body = read_body(environ, self._limits.body_bytes)
                content = decompress(body, environ.get("HTTP_CONTENT_ENCODING"), self._limits.body_bytes)
                answer = route.handler(Call(environ, content, request_id))
        except Problem as problem:
            answer = problem.answer(request_id)
        except Exception:
            error = traceback.format_exc()
            answer = FAILED.answer(request_id)
        name = next(iter(methods.values())).name
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body))), *answer.headers]
        start_response(_STATUS_LINES[answer.status], self._complete(headers, request_id))
        if name:
            self._tell(environ, name, answer.status, began, waited, len(body), len(answer.body), request_id, error)
        return [answer.body]

    def _wait(self) -> float:
        """Return how long requests wait for this worker now, in seconds; raises Problem (503) when that is too long."""
        waited = self._waits.wait(self._row)
        if waited > self._limits.queue_seconds:
            detail = f"the app is busy: requests wait {waited:.1f} s, expected {self._limits.queue_seconds:g} s at most"
            raise Problem(503, f"{detail}; send it again later", (("Retry-After", str(math.ceil(waited))),))
        return waited

    def _by_flask(
        self, environ: dict[str, Any], start_response: StartResponse, began: float, request_id: str
    ) -> Iterable[bytes]:
        environ["HTTP_X_REQUEST_ID"] = request_id

        def start(status: str, headers: list[tuple[str, str]], *failed: Any) -> Any:
            length = next((int(value) for name, value in headers if name == "Content-Length"), 0)
            bytes_in = int(environ.get("CONTENT_LENGTH") or 0)
            error = environ.get(ERROR)
            started = start_response(status, self._complete(headers, request_id), *failed)
            self._tell(environ, environ.get(ROUTE), int(status[:3]), began, 0.0, bytes_in, length, request_id, error)
            return started

        return self._flask(environ, start)

    def _complete(self, headers: list[tuple[str, str]], request_id: str) -> list[tuple[str, str]]:
        headers += self._always
        headers.append(("X-Request-ID", request_id))
        # A client that keeps its connection would otherwise send its next request to a closing door.
        if self._leaving.is_raised():
            headers.append(("Connection", "close"))
        return headers

    def _tell(
        self,
        environ: dict[str, Any],
        route: str | None,
        status: int,
        began: float,
        waited: float,
        bytes_in: int,
        bytes_out: int,
        request_id: str,
        error: str | None,
    ) -> None:
        seconds = time.monotonic() - began
        ended = Ended(
            route,
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            status,
            seconds,
            waited,
            bytes_in,
            bytes_out,
            request_id,
            environ,
            error,
        )
        for observer in self.observers:
            observer.ended(ended)


FAILED = Problem(500, "the app failed on this request; its log has the reason under this request_id")


def _other_method(method: str, methods: Mapping[str, Route]) -> Answer:
    allowed = (("Allow", ", ".join([*methods, "OPTIONS"])),)
    if method == "OPTIONS":
        return Answer(b"", 204, "text/plain", allowed)
    raise Problem(405, f"found {method}; expected {' or '.join(methods)}", allowed)


def common_headers(release: str) -> Headers:
    """Return what every answer has, besides its request's id."""
    return (("X-Release", release), ("X-Content-Type-Options", "nosniff"))


def new_request_id() -> str:
    """Return an id for a request that has none of its own."""
    # It need not be a secret, and asking the system for chance takes longer. After a fork Python begins another series.
    return f"{random.getrandbits(128):032x}"


def _request_id(told: str | None) -> str:
    """Return the client's own, so that its logs and ours meet, unless it could harm a log; else a new one."""
    if told and len(told) <= 128 and told.isascii() and told.isprintable():
        return told
    return new_request_id()
