"""Requests as bytes on a socket, so that nothing puts them right before they are sent."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from tests.app.running_app import PATIENCE_SECONDS

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class RawAnswer:
    """An answer; headers: by their names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


def connect(port: int) -> socket.socket:
    """Return a connection to the app."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)


def request(
    method: str, target: str, headers: Iterable[tuple[str, str | bytes]] = (), body: bytes = b"", length: bool = True
) -> bytes:
    """Return a request as bytes, whatever it is made of; length: tell the body's length."""
    lines = [f"{method} {target} HTTP/1.1".encode("latin-1"), b"Host: digits.example"]
    lines += [
        name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode("latin-1")) for name, value in headers
    ]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def receive(connection: socket.socket, method: str = "GET") -> RawAnswer:
    """Return the next answer; raises http.client.HTTPException where the connection ends without one."""
    with connection.makefile("rb") as reader:
        return _read(reader, method)


def receive_all(connection: socket.socket, count: int) -> list[RawAnswer]:
    """Return the answers to several requests that were sent without waiting."""
    # One reader for all: it may have read the beginning of the next answer already.
    with connection.makefile("rb") as reader:
        return [_read(reader, "POST") for _ in range(count)]


def ask(port: int, content: bytes, method: str = "GET") -> RawAnswer:
    """Send bytes over a new connection, and return the answer."""
    with connect(port) as connection:
        # Who is answered before all was read may find the connection closed, and the answer there.
        with contextlib.suppress(ConnectionError):
            connection.sendall(content)
        return receive(connection, method)


def check(answer: RawAnswer, method: str = "GET") -> None:
    """What holds for every answer: no failure of the app's own, the common headers, and a problem document from 400 on."""
    assert answer.status < 500 or (answer.status == 503 and "retry-after" in answer.headers), answer
    assert answer.headers["x-release"], answer
    assert answer.headers["x-request-id"], answer
    assert b"Traceback" not in answer.body
    if answer.status < 400 or method == "HEAD":
        return
    assert answer.headers["content-type"] == PROBLEM, answer
    problem = json.loads(answer.body)
    assert problem["status"] == answer.status
    assert problem["detail"] == problem["error"] != ""
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert answer.status != 405 or answer.headers["allow"]


def _read(reader: BinaryIO, method: str) -> RawAnswer:
    line = reader.readline().split(None, 2)
    if len(line) < 2:
        raise http.client.RemoteDisconnected("the connection ended without an answer")
    headers = {}
    while (entry := reader.readline()) not in (b"\r\n", b""):
        name, _, value = entry.decode("latin-1").rstrip("\r\n").partition(": ")
        assert name.lower() not in headers, f"{name} comes twice"
        headers[name.lower()] = value
    status, length = int(line[1]), int(headers.get("content-length", 0))
    body = b"" if method == "HEAD" or status in (204, 304) else reader.read(length)
    return RawAnswer(status, headers, body)
