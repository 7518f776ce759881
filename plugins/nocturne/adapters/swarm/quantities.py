"""Durations and sizes as the Compose specification writes them.

Source: https://github.com/compose-spec/compose-spec/blob/main/11-extension.md#specifying-durations and #specifying-byte-values
"""

import re

_NANOSECONDS = {"us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(b|kb?|mb?|gb?)?", re.IGNORECASE)
_BYTES = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def nanoseconds(text: str) -> int:
    """`1m30s` as nanoseconds, the unit of the Engine API. Raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration such as 500ms, 10s or 1m30s")
    return sum(round(float(number) * _NANOSECONDS[unit]) for number, unit in _DURATION_PART.findall(text))


def size_bytes(text: str) -> int:
    """`512M` as bytes; units are powers of 1024, as Docker counts them. Raises ValueError."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no size such as 64k, 512M or 2g")
    return round(float(found[1]) * _BYTES[(found[2] or "b")[0].lower()])
