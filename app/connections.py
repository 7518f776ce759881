"""All connections of a worker: how many there may be, whose turn it is, and what is answered without the application.

Where one thread is enough, the application is called in the event loop, for one request after the other in the order in
which they came: handing a request to a thread and back takes longer than a small model needs to answer.
"""

import asyncio
import email.utils
import sys
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app.exchange import Ended, Headers, Observer
from app.front import Wsgi, new_request_id
from app.limits import Limits
from app.problems import Problem
from app.request_reader import Room

if TYPE_CHECKING:
    from app.connection import Connection

TURN_SECONDS = 0.001
"""How long requests are answered one after the other before the event loop reads on: of a large model, one."""

BODIES = 16
"""How many bodies of the greatest length a worker has room for. Clients that send slowly would take all memory."""


class Connections:
    """All connections of a worker, and what they have in common.

    threads: 1 to call the application in the event loop, more for a pool of threads. request_seconds: how long a client
    may take to send a request, or to read an answer. common_headers: what answers have that do not come from the
    application. observers: learn of these.
    """

    def __init__(
        self,
        app: Wsgi,
        port: int,
        limits: Limits,
        request_seconds: float,
        threads: int = 1,
        common_headers: Headers = (),
        observers: Sequence[Observer] = (),
    ) -> None:
        self.app = app
        self._common_headers = common_headers
        self._observers = observers
        self.limits = limits
        self.room = Room(BODIES * limits.body_bytes)
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.open: set[Connection] = set()
        self.ending = False
        self.base: dict[str, Any] = {
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": str(port),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": threads > 1,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            # Also of a body that tells no length, an application may read all.
            "wsgi.input_terminated": True,
        }
        self._request_seconds = request_seconds
        self._queue: deque[Connection] = deque()
        self._turn_comes = False
        self.now = time.monotonic()
        self.look()

    def look(self) -> None:
        """Close what has been open for too long; call it once a second."""
        # All connections use one clock, which asks the system once a second and not twice a request.
        before, self.now = self.now, time.monotonic()
        self.date = email.utils.formatdate(usegmt=True)
        for connection in list(self.open):
            # By the time of the last look: what came since then has an older time than it should, or waits unread.
            connection.close_if_late(before, self._request_seconds)

    def admit(self, new: "Connection") -> None:
        """Take one more; where there are too many, the one that has been idle, or slow, for the longest time goes."""
        if len(self.open) >= self.limits.connections:
            idle = [connection for connection in self.open if connection.is_idle()]
            slow = [connection for connection in self.open if connection.is_slow(self.now)]
            oldest = min(idle or slow or [new], key=lambda connection: connection.since)
            if idle:
                oldest.close_if_idle()
            else:
                oldest.turn_away()
        self.open.add(new)

    def refusal(self, problem: Problem, request_id: str = "", content: bool = True) -> bytes:
        """Return the answer of a request that the application has not answered. content: also its body is wanted."""
        request_id = request_id or new_request_id()
        answer = problem.answer(request_id)
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            *answer.headers,
            *self._common_headers,
            ("X-Request-ID", request_id),
            ("Date", self.date),
            ("Connection", "close"),
        ]
        phrase = HTTPStatus(answer.status).phrase
        lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
        for observer in self._observers:
            observer.ended(Ended("-", "-", "-", answer.status, 0.0, 0.0, 0, len(answer.body), request_id, {}))
        return "\r\n".join([*lines, "\r\n"]).encode() + (answer.body if content else b"")

    def queue(self, connection: "Connection") -> None:
        """Let a connection have its next request answered in the event loop, after those that came before."""
        self._queue.append(connection)
        if not self._turn_comes:
            self._turn_comes = True
            connection.loop.call_soon(self._take_turn, connection.loop)

    def _take_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        end = time.monotonic() + TURN_SECONDS
        try:
            while self._queue:
                self._queue.popleft().answer()
                if time.monotonic() > end:
                    break
        finally:
            # Between two turns the loop reads on, so that nobody waits longer than the queue is long.
            self._turn_comes = bool(self._queue)
            if self._turn_comes:
                loop.call_soon(self._take_turn, loop)

    def end(self) -> None:
        """Close every connection as soon as it has no request under way."""
        self.ending = True
        for connection in list(self.open):
            connection.close_if_idle()

    def close(self) -> None:
        """Wait for threads that are still at work."""
        if self.pool:
            self.pool.shutdown()
