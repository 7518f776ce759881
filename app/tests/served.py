"""Connections over real sockets in a thread, the application behind them, and a client that looks at every byte."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import uvloop

from app.connections import Connections
from app.exchange import Ended
from app.limits import Limits
from app.problems import Problem
from app.request_body import read_body
from app.worker import Door

LIMIT = 1000
HEADERS = (("X-Release", "r-1"),)
BIG = 30_000_000
PATIENCE_SECONDS = 20

GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
TWO_HOSTS = POST + b"Host: b\r\n\r\n"

Got = tuple[int, dict[str, str], bytes]


class Served:
    """Connections in an event loop in a thread, and the application that they call."""

    def __init__(self, threads: int, request_seconds: float) -> None:
        self.paths: list[str] = []
        self.failures: list[Any] = []
        self.told: list[Ended] = []
        self.entered, self.go, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.loop = uvloop.new_event_loop()
        self.loop.set_exception_handler(lambda _, context: self.failures.append(context))
        limits = Limits(body_bytes=LIMIT)
        self.connections = Connections(self.app, 80, limits, request_seconds, threads, HEADERS, [self])
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        self.door = self.loop.run_until_complete(self._open(listener))
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.loop.call_soon(self._look)
        self.thread.start()

    async def _open(self, listener: socket.socket) -> Door:
        return Door(listener, self.connections)

    def _look(self) -> None:
        self.connections.look()
        self.loop.call_later(0.02, self._look)

    def app(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.paths.append(path)
        if path in ("/raise", "/exit"):
            raise ValueError("the secret reason") if path == "/raise" else SystemExit(3)
        if path == "/slow":
            time.sleep(0.02)
        if path == "/wait":
            self.entered.set()
            assert self.go.wait(PATIENCE_SECONDS)
        try:
            body = read_body(environ, LIMIT)
        except Problem as problem:
            start(f"{problem.status} Refused", [])
            return [b""]
        environ["open"] = str(len(self.connections.open))
        told = {name: value for name, value in environ.items() if isinstance(value, str)}
        headers = [("Connection", "close")] if path == "/close" else [("Date", "now"), ("Content-Type", "text/plain")]
        if path == "/204":
            headers.append(("Content-Length", "0"))
        start("204 No Content" if path == "/204" else "200 OK", headers)
        if path == "/big":
            return [b"x" * BIG]
        return _Result([json.dumps(told | {"body": body.decode("latin-1")}).encode()], self.closed)

    def ended(self, ended: Ended) -> None:
        """Learn what the application was not asked."""
        self.told.append(ended)

    def do(self, call: Callable[[], Any]) -> Any:
        """Call in the event loop."""

        async def called() -> Any:
            return call()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(PATIENCE_SECONDS)

    def until(self, holds: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not holds():
                await asyncio.sleep(0.01)

        asyncio.run_coroutine_threadsafe(asyncio.wait_for(wait(), PATIENCE_SECONDS), self.loop).result()

    def tick(self) -> None:
        """Wait until connections tell the time anew."""
        last = self.connections.now
        self.until(lambda: self.connections.now > last)

    def stop(self) -> None:
        self.go.set()
        self.do(self.door.close)
        self.do(lambda: [each._transport.abort() for each in list(self.connections.open)])
        self.until(lambda: not self.connections.open)
        self.connections.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE_SECONDS)
        self.loop.close()


class _Result(list[bytes]):
    def __init__(self, pieces: list[bytes], closed: threading.Event) -> None:
        super().__init__(pieces)
        self.close = closed.set


class Client:
    def __init__(self, served: Served, *sent: bytes) -> None:
        self.socket = socket.create_connection(served.address, PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb")
        self.send(*sent)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def answer(self, head: bool = False) -> Got:
        status = int(self._file.readline().split()[1])
        headers: dict[str, str] = {}
        while (line := self._file.readline().decode("latin-1").strip()) != "":
            name, value = line.split(": ", 1)
            assert name not in headers
            headers[name] = value
        return status, headers, b"" if head else self._file.read(int(headers.get("Content-Length", 0)))

    def echo(self) -> dict[str, str]:
        status, _, body = self.answer()
        assert status == 200
        return json.loads(body)  # type: ignore[no-any-return]

    def paths(self, count: int) -> list[str]:
        return [self.echo()["PATH_INFO"] for _ in range(count)]

    def ended(self) -> bool:
        """Return whether nothing follows, once the server has closed."""
        return self._file.read() == b""

    def refused(self, status: int) -> dict[str, str]:
        got, headers, body = self.answer()
        assert (got, headers["Content-Type"], headers["Connection"]) == (status, "application/problem+json", "close")
        problem = json.loads(body)
        assert (problem["status"], problem["request_id"]) == (status, headers["X-Request-ID"])
        assert headers["X-Release"] == "r-1" and self.ended()
        return headers


Serve = Callable[..., Served]
