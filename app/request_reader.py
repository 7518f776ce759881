"""From the bytes of one connection to requests as WSGI has them (PEP 3333).

HTTP/1.1 is parsed by httptools, which uvicorn has too.
"""

import io
import logging
from collections import deque
from typing import Any, NamedTuple

import httptools

from app.problems import Problem
from app.wsgi import environ_key, path_and_query

HEAD_BYTES = 64 * 1024
HEADERS = 100
ADDRESS_BYTES = 8 * 1024
"""The most of each that a request may have. Addresses are remembered, too."""

PIECES = 1000
"""How many pieces of a body are kept before they are joined: small ones take far more memory than what they hold."""

SMALL_BYTES = 64 * 1024
"""A body of no more is read even where there is no room: those who send large ones slowly keep only their like out."""

PIPELINED = 100
"""How many requests may wait on a connection. A client that sends more at once repeats those that get no answer."""

_LONG_HEAD = f"found more than {HEAD_BYTES} bytes of headers; send fewer"

log = logging.getLogger(__name__)


class Request(NamedTuple):
    """A request that is all there. keep: its client wants to send more. held: the bytes of its body."""

    environ: dict[str, Any]
    keep: bool
    held: int


class Room:
    """What the bodies of all requests of a worker may take together, in bytes. free: what is left of it."""

    def __init__(self, size: int) -> None:
        self.free = size


class RequestReader:
    """Reads requests, one after the other, until it is done.

    base: what the environments of all requests have. body_bytes: more of a body is not read. room: where it is kept.

    requests: those that nobody has taken yet; who takes one gives its room back. refusal: what is wrong with the one
    after them. begun: a request is on its way. expects: its client sends the body once it is told to continue. done:
    nothing more is taken. more_comes: the client may send on all the same.
    """

    def __init__(self, base: dict[str, Any], body_bytes: int, room: Room) -> None:
        self.requests: deque[Request] = deque()
        self.refusal: Problem | None = None
        self.begun = self.expects = self.done = self.more_comes = False
        self._base = base
        self._body_bytes = body_bytes
        self._room = room
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._besides = 0
        """Bytes since the last piece of a body: headers, mostly."""
        self._packet = self._first = 0
        """Bytes that came together and are now read; and those that came with the beginning of this request."""

    def feed(self, data: bytes) -> None:
        """Read on. It raises nothing: what goes wrong is a refusal."""
        if self.done:
            return
        self._packet = len(data)
        self._besides += self._packet
        try:
            self._parse(data)
        except httptools.HttpParserCallbackError:
            log.exception("a request could not be read")
            self.refuse(Problem(500, "the app failed on this request; its log has the reason"))
        except httptools.HttpParserError as error:
            detail = f"found what is no HTTP/1.1 ({error}); send another request on a new connection"
            self.refuse(Problem(400, detail))
        if self.begun and self._besides > HEAD_BYTES:
            self.refuse(Problem(431, _LONG_HEAD))

    def refuse(self, problem: Problem) -> None:
        """Refuse a request that does not reach the application, after the answers to those before it."""
        if not self.done:
            self.done = self.more_comes = True
            self.begun = self.expects = False
            self.refusal = problem
            self._forget_body()

    def forget(self) -> None:
        """Give up what nobody has taken."""
        while self.requests:
            self.give_back(self.requests.popleft().held)
        self.refusal = None
        self._forget_body()

    def give_back(self, held: int) -> None:
        """Make room for other bodies."""
        self._room.free += held

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.begun, self.expects = not self.done, False
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._besides, self._first = 0, self._packet

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._url += url
        if len(self._url) > ADDRESS_BYTES:
            self.refuse(Problem(414, f"found an address of more than {ADDRESS_BYTES} bytes; send a shorter one"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Those that follow a body sent in chunks come here, too, when nobody looks any more."""
        if len(self._headers) < HEADERS:
            self._headers.append((name, value))
        else:
            self.refuse(Problem(431, f"found more than {HEADERS} headers; send fewer"))

    def on_headers_complete(self) -> None:
        """See whether the body is wanted."""
        if self.done:
            return
        self._keep = self._parser.should_keep_alive()
        try:
            self._environ = self._environment()
        except Problem as problem:
            self.refuse(problem)
            return
        if int(self._environ.get("CONTENT_LENGTH") or 0) > self._body_bytes:
            self._complete_early()
        elif "HTTP_EXPECT" in self._environ:
            expected = self._environ["HTTP_EXPECT"].lower() == "100-continue"
            self.expects = expected and self._environ["SERVER_PROTOCOL"] == "HTTP/1.1"

    def on_body(self, piece: bytes) -> None:
        """Take a part of the body."""
        if self.done:
            return
        self._besides, self.expects = 0, False
        self._pieces.append(piece)
        if len(self._pieces) == PIECES:
            self._body.append(b"".join(self._pieces))
            self._pieces.clear()
        self._size += len(piece)
        self._room.free -= len(piece)
        if self._size > self._body_bytes:
            self._complete_early()
        elif self._room.free < 0 and self._size > SMALL_BYTES:
            detail = "the app is busy: it is sent more at once than it has room for; send this again later"
            self.refuse(Problem(503, detail, (("Retry-After", "1"),)))

    def on_message_complete(self) -> None:
        """Put the request to the others."""
        if not (self.done or self._parser.should_upgrade()):
            self._complete()

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.done:
                return
            # Such as to HTTP/2, which Java asks for. Nothing else is spoken here, but the parser takes the body for
            # what comes after the upgrade. So the request is read again, as if it had not asked.
            head = self._head_without_upgrade()
            self._parser = httptools.HttpRequestParser(self)
            self._parser.feed_data(head + data[upgrade.args[0] :])

    def _head_without_upgrade(self) -> bytes:
        kept = [header for header in self._headers if header[0].lower() not in (b"connection", b"upgrade")]
        lines = [b"%s: %s\r\n" % header for header in [*kept, (b"Connection", b"close")]]
        version = self._parser.get_http_version().encode()
        return b"%s %s HTTP/%s\r\n%s\r\n" % (self._parser.get_method(), self._url, version, b"".join(lines))

    def _environment(self) -> dict[str, Any]:
        method = self._parser.get_method().decode("ascii")
        version = self._parser.get_http_version()
        if method == "CONNECT" or version not in ("1.1", "1.0"):
            raise Problem(400, f"found {method} of HTTP/{version}; expected a request of HTTP/1.1, and no CONNECT")
        # A head is measured only where it may be too long: what came with its beginning, and since, is of such a size.
        together = self._first + self._besides
        if together > HEAD_BYTES and sum(len(name) + len(value) for name, value in self._headers) > HEAD_BYTES:
            raise Problem(431, _LONG_HEAD)
        path, query = path_and_query(self._url)
        environ = self._base | {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": f"HTTP/{version}",
        }
        for name, value in self._headers:
            if key := environ_key(name):
                text = value.decode("latin-1").rstrip(" \t")
                environ[key] = f"{environ[key]},{text}" if key in environ else text
        if (version == "1.1" and "HTTP_HOST" not in environ) or "," in environ.get("HTTP_HOST", ""):
            raise Problem(400, "found no Host, or several; expected one in every request of HTTP/1.1")
        if "HTTP_TRANSFER_ENCODING" in environ:
            # Whoever stands between client and app may know it differently, and see another end of the body.
            if version == "1.0":
                raise Problem(400, "found Transfer-Encoding in HTTP/1.0; expected HTTP/1.1")
            if environ["HTTP_TRANSFER_ENCODING"].lower() != "chunked":
                raise Problem(501, "found a Transfer-Encoding that is not known here; expected chunked")
        return environ

    def _complete_early(self) -> None:
        """Let the application refuse a body that is too long, for what it is told, or has got, of its length."""
        self.done, self.more_comes, self._keep = True, True, False
        self._complete()

    def _complete(self) -> None:
        self._environ["wsgi.input"] = io.BytesIO(b"".join(self._body + self._pieces))
        self.begun = self.expects = False
        self.requests.append(Request(self._environ, self._keep, self._size))
        # With its taker from here on, whose business it is how long its body is kept.
        self._environ, self._size = {}, 0
        self._forget_body()
        if len(self.requests) >= PIPELINED:
            self.done = self.more_comes = True

    def _forget_body(self) -> None:
        self.give_back(self._size)
        self._body, self._pieces, self._size = [], [], 0
