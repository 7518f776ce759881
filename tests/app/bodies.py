"""Bodies that are nearly right."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.app.images import IMAGES

BOUNDARY = "----a-boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
_PNG = IMAGES["image/png"]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
"""Any JSON."""


@st.composite
def spoilt(draw: st.DrawFn, content: bytes) -> bytes:
    """Return bytes with pieces replaced, left out or repeated."""
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(content)))
        end = draw(st.integers(begin, min(len(content), begin + 40)))
        piece = draw(st.sampled_from((b"", content[begin:end] * 2, b"\r\n", b"--", b"\x00", b'"')) | st.binary(max_size=8))
        content = content[:begin] + piece + content[end:]
    return content


@st.composite
def changed(draw: st.DrawFn, content: Any) -> Any:
    """Return JSON of which one value, however deep, is another."""
    if not isinstance(content, (dict, list)) or not content or draw(st.integers(0, 3)) == 0:
        return draw(values)
    key = draw(st.sampled_from(sorted(content) if isinstance(content, dict) else range(len(content))))
    copy = content.copy()
    if draw(st.booleans()) or isinstance(content, list):
        copy[key] = draw(changed(content[key]))
    else:
        del copy[key]
    return copy


def multipart(files: int = 2) -> bytes:
    """Return a form with some files."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    return b"".join(head.encode() + _PNG + b"\r\n" for _ in range(files)) + f"--{BOUNDARY}--\r\n".encode()


def tensor() -> dict[str, Any]:
    """Return a request of the Open Inference Protocol with the demo model's own tensor."""
    numbers = [[float(place % 16) for place in range(64)]]
    return {
        "id": "a",
        "inputs": [{"name": "pixels", "shape": [1, 64], "datatype": "FP32", "data": numbers}],
        "outputs": [{"name": "labels"}],
    }


def binary_images(count: int = 2) -> tuple[bytes, bytes]:
    """Return a request's JSON, and the bytes that follow it: encoded images."""
    rest = b"".join(len(_PNG).to_bytes(4, "little") + _PNG for _ in range(count))
    parameters = {"binary_data_size": len(rest)}
    given = {"name": "image", "shape": [count], "datatype": "BYTES", "parameters": parameters}
    return json.dumps({"inputs": [given], "parameters": {"binary_data_output": True}}).encode(), rest
