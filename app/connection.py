"""One client's connection: HTTP/1.1 from an event loop to a WSGI application (PEP 3333), and back.

A request reaches the application once all of it is there, so that a client that sends slowly keeps nobody waiting but
itself.
"""

import asyncio
from functools import partial
from typing import cast

from app.connections import Connections
from app.front import FAILED
from app.problems import Problem
from app.request_reader import Request, RequestReader
from app.wsgi import respond

IDLE_SECONDS = 75
"""How long a connection may wait for its next request: longer than load balancers do, so that they close it."""

LINGER_SECONDS = 5
"""How long a client that was refused may go on sending: a connection closed too early takes the answer with it."""

SLOW_SECONDS = 2
"""How long a request may be on its way before its connection may be closed in favour of another's."""


class Connection(asyncio.Protocol):
    """Has requests read, and answers one after the other, in their order. since: when its client last did something."""

    def __init__(self, shared: Connections, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = shared
        self.loop = loop
        self.since = shared.now
        self._at_work = False
        """A request waits for its turn, or is being answered."""
        self._unread = False
        """The client does not read its answers."""

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # uvloop's are of no class that could be asked for.
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        base = self._shared.base | {"REMOTE_ADDR": peer[0] if isinstance(peer, tuple) else ""}
        self._reader = RequestReader(base, self._shared.limits.body_bytes, self._shared.room)
        # Who connects at the last moment does so to send a request.
        self._reader.begun = self._shared.ending
        self._shared.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._reader.done = True
        self._reader.forget()
        self._shared.open.discard(self)

    def eof_received(self) -> bool:
        """Keep the connection until a client that will send no more has what it asked for."""
        self._reader.done, self._reader.more_comes, self._reader.begun = True, False, False
        return self._at_work or self._more()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        reader = self._reader
        had_begun = reader.begun
        reader.feed(data)
        if reader.begun and not had_begun:
            self.since = self._shared.now
        if self._at_work:
            # What it asks next can wait on its side.
            self._transport.pause_reading()
        elif reader.requests or reader.refusal or reader.expects:
            self._go_on()

    def pause_writing(self) -> None:
        """Take no more from a client that does not read its answers."""
        self._unread, self.since = True, self._shared.now
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._unread, self.since = False, self._shared.now
        self._go_on()

    # From a request to its answer.

    def _go_on(self) -> None:
        """Answer what waits, one after the other, as soon as the client reads; then read on."""
        if self._at_work or self._unread or self._transport.is_closing():
            return
        reader = self._reader
        if reader.requests:
            self._at_work = True
            if self._shared.pool:
                self._transport.pause_reading()
                request = reader.requests.popleft()
                self._shared.pool.submit(self._in_thread, request, request.keep and self._stays())
            else:
                self._shared.queue(self)
        elif reader.refusal:
            self._send(self._shared.refusal(reader.refusal), keep=False)
        else:
            if reader.expects:
                reader.expects = False
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._transport.resume_reading()

    def answer(self) -> None:
        """Answer the first request that waits."""
        if self._reader.requests:
            request = self._reader.requests.popleft()
            self._answered(request.held, *self._respond(request, request.keep and self._stays()))

    def _in_thread(self, request: Request, keep: bool) -> None:
        answer = self._respond(request, keep)
        self.loop.call_soon_threadsafe(self._answered, request.held, *answer)

    def _respond(self, request: Request, keep: bool) -> tuple[bytes, bool]:
        shared = self._shared
        return respond(shared.app, request.environ, keep, shared.date, partial(shared.refusal, FAILED))

    def _answered(self, held: int, answer: bytes, keep: bool) -> None:
        self._at_work = False
        self._reader.give_back(held)
        self._send(answer, keep)
        self._go_on()

    def _more(self) -> bool:
        """Return whether the client gets more than the answer at hand."""
        return bool(self._reader.requests or self._reader.refusal)

    def _stays(self) -> bool:
        """Return whether the connection is needed after the answer at hand."""
        return self._more() or not (self._reader.done or self._shared.ending)

    def _send(self, answer: bytes, keep: bool) -> None:
        self.since = self._shared.now
        if self._transport.is_closing():
            self._reader.forget()
            return
        self._transport.write(answer)
        if keep and self._stays():
            return
        self._reader.forget()
        if self._reader.more_comes:
            # What is still on its way would meet a closed door, and the client might lose its answer over that.
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._close()

    def _close(self) -> None:
        # What is not sent by then waits for a client that no longer reads, but not for ever.
        self._reader.done, self.since = True, self._shared.now
        self._transport.close()

    # What the worker asks for.

    def is_idle(self) -> bool:
        """Return whether no request is on its way or at work, and none was refused."""
        return not (self._reader.begun or self._at_work or self._more() or self._reader.done)

    def close_if_idle(self) -> None:
        """Close, unless a request is on its way or at work."""
        if self.is_idle():
            self._close()

    def is_slow(self, now: float) -> bool:
        """Return whether a request has been on its way for longer than it takes a healthy client."""
        return self._reader.begun and not self._at_work and now - self.since > SLOW_SECONDS

    def turn_away(self) -> None:
        """Refuse the request that is on its way, or would be next, and close."""
        most = self._shared.limits.connections
        detail = f"the app is busy: found more than the {most} connections that it keeps; send this again later"
        self._reader.refuse(Problem(503, detail, (("Retry-After", "1"),)))
        # There are too many to wait for what this one sends.
        self._reader.more_comes = False
        self._go_on()

    def close_if_late(self, now: float, request_seconds: float) -> None:
        """Close what has waited for its client for too long. now: as time.monotonic has it."""
        late = now - self.since
        if self._unread:
            if late > request_seconds:
                self._transport.abort()
        elif self._at_work or self._reader.requests:
            pass
        elif self._reader.done:
            if late > LINGER_SECONDS:
                self._transport.abort()
        elif self._reader.begun:
            if late > request_seconds:
                detail = f"found only a part of a request within {request_seconds:g} s; send it again"
                self._reader.refuse(Problem(408, detail))
                self._go_on()
        elif late > IDLE_SECONDS:
            self._close()
