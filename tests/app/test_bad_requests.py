"""Whatever is sent, the app answers in order, and lives."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.bodies import BOUNDARY, MULTIPART, binary_images, changed, multipart, spoilt, tensor, values
from tests.app.images import IMAGES, damaged
from tests.app.raw_http import RawAnswer, ask, check, request
from tests.app.running_app import RunningApp

INFER = "/v2/models/digits/infer"
ADDRESSES = (
    *("/", "/healthz", "/readyz", "/version", "/metrics", "/openapi.json", "/docs", "/docs/reference.css", "/samples", "/score"),
    *("/v1/predict", "/v2", "/v2/health/live", "/v2/models/digits", "/v2/models/digits/ready", INFER, "/v2/models/other/infer"),
    *("/v2/models/digits/versions/1/infer", "/v2/models/digits/versions/2", "/nowhere", "//", "/page/x/y", "*"),
)
CONTENT_TYPES = ("application/json", "application/octet-stream", "text/plain", "multipart/form-data", MULTIPART, *IMAGES)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")
HEADERS = (
    *("Accept", "Accept-Encoding", "Authorization", "Content-Encoding", "Content-Type", "Cookie", "If-None-Match", "Range"),
    *("If-Modified-Since", "Inference-Header-Content-Length", "Traceparent", "X-Forwarded-For", "X-Request-ID", "Content-Range"),
)

# Anything may be in a header's value but the ends of lines: what is left of it then is another request.
header_values = st.binary(max_size=200).map(lambda value: value.translate(None, b"\r\n\0")) | st.sampled_from(
    (
        b"99999999999999999999",
        b"-1",
        b"1e3",
        b"gzip",
        b"deflate, gzip",
        b"bytes=0-0",
        b"image/png; charset=\xff",
        b'""',
        b"W/",
        b"0",
    )
)

many = settings(max_examples=150, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(autouse=True)
def survives(running_app: RunningApp) -> Iterator[None]:
    """No worker process dies of what a test sends."""
    before = running_app.workers()
    yield
    assert running_app.status("/readyz") == 200
    assert running_app.workers() == before


@many
@given(st.sampled_from(ADDRESSES), st.sampled_from(METHODS), st.sampled_from(CONTENT_TYPES), st.binary(max_size=300) | damaged())
def test_any_body_as_any_type_at_any_address(running_app: RunningApp, address: str, method: str, kind: str, body: bytes) -> None:
    """A body that makes no sense gets a problem document."""
    content = request(method, address, [("Content-Type", kind)], body)
    check(ask(running_app.port, content, method), method)


@many
@given(st.sampled_from(ADDRESSES), st.lists(st.tuples(st.sampled_from(HEADERS), header_values), max_size=4))
def test_odd_headers(running_app: RunningApp, address: str, headers: list[tuple[str, bytes]]) -> None:
    """A header that makes no sense is refused or passed over."""
    method = "POST" if address in ("/score", "/v1/predict") or address.endswith("infer") else "GET"
    # Bytes that no header may hold are refused by the server before the app sees them.
    if not all(all((byte >= 0x20 and byte != 0x7F) or byte == 0x09 for byte in value) for _, value in headers):
        assert _asked(running_app, method, address, headers).status == 400
    else:
        check(_asked(running_app, method, address, headers))


@many
@given(
    st.binary(max_size=30).map(lambda target: "".join(f"%{byte:02X}" for byte in target)),
    st.sampled_from(("/", "/v2/models/", "/v1/predict?top=")),
)
def test_odd_addresses(running_app: RunningApp, odd: str, begin: str) -> None:
    """Any bytes in a path or a parameter are somebody's text."""
    for method in ("GET", "POST"):
        check(ask(running_app.port, request(method, begin + odd, [("Content-Type", "image/png")], IMAGES["image/png"])))


@many
@given(
    spoilt(multipart()),
    st.sampled_from(
        (MULTIPART, "multipart/form-data; boundary=", 'multipart/form-data; boundary=""', f"Multipart/Form-Data;x={BOUNDARY}")
    ),
)
def test_spoilt_forms(running_app: RunningApp, body: bytes, kind: str) -> None:
    """A form that was damaged on its way is a bad request, or what is left of it is answered."""
    check(ask(running_app.port, request("POST", "/v1/predict", [("Content-Type", kind)], body)))


@many
@given(changed(tensor()) | values)
def test_changed_tensors(running_app: RunningApp, content: Any) -> None:
    """A tensor in JSON of which any part is another is refused, or computed."""
    check(ask(running_app.port, request("POST", INFER, [("Content-Type", "application/json")], json.dumps(content).encode())))


@many
@given(spoilt(binary_images()[0]), spoilt(binary_images()[1]), st.integers(-3, 3) | st.integers(-(2**64), 2**64))
def test_spoilt_binary_tensors(running_app: RunningApp, head: bytes, rest: bytes, off: int) -> None:
    """Lengths that lie read nothing beyond the body, and reserve nothing."""
    headers = [("Inference-Header-Content-Length", str(len(head) + off)), ("Content-Type", "application/octet-stream")]
    check(ask(running_app.port, request("POST", INFER, headers, head + rest)))


@many
@given(st.text(max_size=60) | damaged().map(lambda image: base64.b64encode(image).decode()), values)
def test_odd_texts_to_score(running_app: RunningApp, text: str, more: Any) -> None:
    """What is no base64, no image or no text is refused."""
    for content in ({"input": [text]}, {"input": [text, more]}, {"input": json.dumps([text])}, {"input": more}, {"input": text}):
        body = json.dumps(content).encode()
        check(ask(running_app.port, request("POST", "/score", [("Content-Type", "application/json")], body)))


@pytest.mark.parametrize("address", ["/score", INFER])
@pytest.mark.parametrize("depth", [100, 1000, 100_000, 2_000_000])
def test_deep_json(running_app: RunningApp, address: str, depth: int) -> None:
    """Lists in lists in lists overflow no stack."""
    deep = "[" * depth + "]" * depth
    wrapped = [
        deep,
        '{"input": ' + deep + "}",
        '{"input": "' + deep + '"}',
        '{"inputs": ' + deep + "}",
        '{"a":' * depth + "1" + "}" * depth,
    ]
    given_data = '{"inputs": [{"name": "pixels", "shape": [1, 64], "datatype": "FP32", "data": ' + deep + "}]}"
    for body in (*wrapped, given_data):
        answer = ask(running_app.port, request("POST", address, [("Content-Type", "application/json")], body.encode()))
        check(answer)
        assert answer.status in (400, 413)


def _asked(app: RunningApp, method: str, address: str, headers: list[tuple[str, bytes]]) -> RawAnswer:
    return ask(app.port, request(method, address, headers, IMAGES["image/png"] if method == "POST" else b""))
