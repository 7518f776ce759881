"""A bad network: an HTTP proxy in front of a real store, which spoils chosen answers and remembers every request."""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

PIECE = 64 * 1024


@dataclass(frozen=True)
class Seen:
    """One request. at: seconds on the monotonic clock, when it came."""

    method: str
    path: str
    headers: dict[str, str]
    at: float

    @property
    def first_byte(self) -> int:
        """Where the range that it asks for begins; 0 without one."""
        found = re.match(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(found[1]) if found else 0


Trick = Callable[["_Handler"], None]


def cut(after: int) -> Trick:
    """The connection ends in the middle of the body."""
    return lambda handler: handler.pass_on(until=after)


def stall(after: int) -> Trick:
    """The body stops coming, and the connection stays open."""

    def stop(handler: "_Handler") -> None:
        handler.pass_on(until=after)
        handler.network.over.wait(60)

    return stop


def slow_start(seconds: float) -> Trick:
    """The answer is long in coming."""

    def wait(handler: "_Handler") -> None:
        handler.network.over.wait(seconds)
        handler.pass_on()

    return wait


def answer(status: int, body: str = "", **headers: str) -> Trick:
    """An answer of another's, without asking the store. headers: with _ for -."""
    return lambda handler: handler.answer(status, body.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def lost_answer(status: int) -> Trick:
    """The store does what is asked, and its answer is another's."""

    def lose(handler: "_Handler") -> None:
        client, handler.wfile = handler.wfile, BytesIO()
        handler.pass_on()
        handler.wfile = client
        handler.answer(status, b"", {})

    return lose


def after(action: Callable[[], object], at: int) -> Trick:
    """Something happens to the store in the middle of the body, and then the connection ends."""

    def act(handler: "_Handler") -> None:
        handler.pass_on(until=at)
        action()

    return act


@dataclass
class Network:
    """What is between a client and a store. url: for clients. seen: every request so far, in the order of their coming."""

    url: str
    upstream: str
    seen: list[Seen] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    _tricks: list[tuple[re.Pattern[str], Trick]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def spoil(self, pattern: str, *tricks: Trick) -> None:
        """Play one trick on each of the next requests whose `METHOD /path` matches."""
        self._tricks += [(re.compile(pattern), trick) for trick in tricks]

    def of(self, pattern: str) -> list[Seen]:
        """The requests so far whose `METHOD /path` matches."""
        return [seen for seen in self.seen if re.search(pattern, f"{seen.method} {seen.path}")]

    def take(self, seen: Seen) -> Trick | None:
        """The trick for this request, which is then used up."""
        with self._lock:
            self.seen.append(seen)
            for place, (pattern, trick) in enumerate(self._tricks):
                if pattern.search(f"{seen.method} {seen.path}"):
                    del self._tricks[place]
                    return trick
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    network: Network

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, HTTPException):
            self.close_connection = True

    def log_message(self, *ignored: object) -> None:
        """Nobody reads it."""

    def _serve(self) -> None:
        self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        trick = self.network.take(Seen(self.command, self.path, headers, time.monotonic()))
        (trick or _Handler.pass_on)(self)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send an answer of our own."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def pass_on(self, until: int | None = None) -> None:
        """Ask the store and send what it says. until: after so many bytes of its body the connection ends."""
        connection = _connection(self.network.upstream)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(self._body)
            self._relay(connection.getresponse(), until)
        finally:
            connection.close()

    def _relay(self, response: HTTPResponse, until: int | None) -> None:
        self.send_response_only(response.status)
        whole = b"" if response.getheader("Content-Length") else response.read()
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        if not response.getheader("Content-Length"):
            self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        left = until
        while piece := whole or response.read(PIECE if left is None else min(PIECE, left)):
            self.wfile.write(piece)
            whole = b""
            left = None if left is None else left - len(piece)
        self.wfile.flush()
        self.close_connection = until is not None


def _connection(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "http":
        return HTTPConnection(parts.netloc, timeout=60)
    return HTTPSConnection(parts.netloc, timeout=60, context=ssl._create_unverified_context())


@contextmanager
def network(upstream: str, tls: ssl.SSLContext | None = None) -> Iterator[Network]:
    """A network in front of `upstream` (scheme, host and port), as an address of this machine."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made = Network(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", upstream)
    handler.network = made
    running = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    running.start()
    try:
        yield made
    finally:
        made.over.set()
        server.shutdown()
        server.server_close()
        running.join()
