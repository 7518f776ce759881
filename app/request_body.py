"""A request's body, never more of it in memory than is allowed."""

from typing import Any

from app.problems import Problem

_PIECE = 1024 * 1024


def read_body(environ: dict[str, Any], limit: int) -> bytes:
    """Return the body; raises Problem (400, 413) where it is longer than `limit` bytes or less than was told."""
    told = _told(environ.get("CONTENT_LENGTH"))
    if told is not None:
        if told > limit:
            raise _too_long(f"{told} bytes", limit)
        body: bytes = environ["wsgi.input"].read(told) if told else b""
        if len(body) < told:
            raise Problem(
                400, f"found a body of {len(body)} bytes; expected {told} as Content-Length says: send it again"
            )
        return body
    if environ.get("HTTP_TRANSFER_ENCODING") is None:
        return b""
    # A body sent in chunks tells no length: it is read until it ends or is too long.
    pieces, size = [], 0
    while size <= limit and (piece := environ["wsgi.input"].read(_PIECE)):
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        raise _too_long("a longer one", limit)
    return b"".join(pieces)


def _told(content_length: str | None) -> int | None:
    if not content_length:
        return None
    if not (content_length.isascii() and content_length.isdigit()):
        raise Problem(400, f"found Content-Length: {content_length[:20]}; expected a number of bytes")
    return int(content_length)


def _too_long(found: str, limit: int) -> Problem:
    return Problem(413, f"found {found}; expected a body of at most {limit} bytes: send fewer images at once")
