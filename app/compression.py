"""Request bodies that a client has compressed."""

import zlib

from app.problems import Problem

_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
"""Either header is found by itself (https://docs.python.org/3/library/zlib.html#zlib.decompress)."""

ENCODINGS = ("gzip", "deflate")


def decompress(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Return the body as its client meant it, never more than `limit` bytes; raises Problem (400, 413, 415).

    encoding: of the Content-Encoding header. `deflate` is zlib's format (RFC 9110, section 8.4.1.2).
    """
    if encoding is None or encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ENCODINGS:
        expected = " or ".join(ENCODINGS)
        raise Problem(415, f"found Content-Encoding: {encoding[:40]}; expected {expected}, or none", (_accepted(),))
    stream = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        content = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise Problem(400, f"found a body that is not {encoding} ({error}); send it again, or uncompressed") from error
    if len(content) > limit:
        raise Problem(413, f"found a longer body once it was decompressed; expected at most {limit} bytes")
    if not stream.eof or stream.unused_data:
        found = "data after its end" if stream.eof else "a body that ends too early"
        raise Problem(400, f"found {found}, as {encoding} is read; send it again, or uncompressed")
    return content


def _accepted() -> tuple[str, str]:
    return "Accept-Encoding", ", ".join(ENCODINGS)
