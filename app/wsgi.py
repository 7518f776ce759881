"""The application's side of a request (PEP 3333): its environment's names, the call, and the answer as it is sent."""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import httptools

from app.front import Wsgi, new_request_id
from app.problems import Problem

NAME_BYTES = 256
"""The most that a header's name may have: they are remembered."""

log = logging.getLogger(__name__)


def respond(
    app: Wsgi, environ: dict[str, Any], keep: bool, date: str, fail: Callable[[str, bool], bytes]
) -> tuple[bytes, bool]:
    """Call the application; return its answer as it is sent, and whether the connection stays. It raises nothing.

    fail: makes the answer of an application that fails, from the request's id and whether a body is wanted.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], *failed: Any) -> Callable[[bytes], None]:
        started[:] = [(status, headers)]
        return written.append

    try:
        result = app(environ, start_response)
        try:
            body = b"".join([*written, *result])
        finally:
            if hasattr(result, "close"):
                result.close()
        return _message(environ, *started[0], body, keep, date)
    # Also where it would end the process: in a thread, that would leave the client without an answer.
    except (Exception, SystemExit):
        request_id = new_request_id()
        log.exception("the app failed on request %s in a way that it does not catch itself", request_id)
        return fail(request_id, environ["REQUEST_METHOD"] != "HEAD"), False


def _message(
    environ: dict[str, Any], status: str, headers: list[tuple[str, str]], body: bytes, keep: bool, date: str
) -> tuple[bytes, bool]:
    lines, has_length = ["HTTP/1.1 ", status, "\r\n"], False
    empty = status[:3] == "204"
    bodiless = empty or status[:3] == "304"
    for name, value in headers:
        if name == "Connection":
            keep = keep and value != "close"
            continue
        # The server tells the time itself; and what has no content has no length or type of it (RFC 9110, 8.6).
        if name == "Date" or (empty and name in ("Content-Length", "Content-Type")):
            continue
        has_length = has_length or name == "Content-Length"
        lines += (name, ": ", value, "\r\n")
    if not (has_length or bodiless):
        lines.append(f"Content-Length: {len(body)}\r\n")
    if not keep:
        lines.append("Connection: close\r\n")
    elif environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        lines.append("Connection: keep-alive\r\n")
    lines += ("Date: ", date, "\r\n\r\n")
    head = "".join(lines).encode("latin-1")
    return head if bodiless or environ["REQUEST_METHOD"] == "HEAD" else head + body, keep


@lru_cache(maxsize=256)
def path_and_query(url: bytes) -> tuple[str, str]:
    """Return path and query as PEP 3333 wants them; raises Problem (400)."""
    if url == b"*":
        return "*", ""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError as error:
        raise Problem(400, "found an address that cannot be read; expected one such as /v1/predict") from error
    path = unquote_to_bytes(parsed.path or b"/")
    return path.decode("latin-1"), (parsed.query or b"").decode("latin-1")


@lru_cache(maxsize=512)
def environ_key(name: bytes) -> str | None:
    """Return a header's name in a WSGI environment, or None for one that is left out; raises Problem (431)."""
    if len(name) > NAME_BYTES:
        raise Problem(431, f"found a header's name of {len(name)} bytes; expected at most {NAME_BYTES}")
    # It would pass for one with a hyphen, past whoever checked that one.
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
