"""Digests in the form that OCI gives them: `sha256:` and 64 hexadecimal digits.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#digests
"""

import hashlib
import json
import re
from typing import Any

_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")


def of_bytes(content: bytes) -> str:
    """The digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def of_json(value: Any) -> str:
    """The digest of a JSON value, the same whatever the order of its keys."""
    return of_bytes(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def check(text: str) -> str:
    """`text` itself when it is a well-formed digest, else ValueError."""
    if not _PATTERN.fullmatch(text):
        raise ValueError(f"not a digest: {text!r} (expected sha256: and 64 hexadecimal digits)")
    return text


def short(digest: str) -> str:
    """The first twelve hexadecimal digits, for people; never for comparing."""
    return digest.removeprefix("sha256:")[:12]
