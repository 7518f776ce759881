"""The Open Inference Protocol with requests that are wrong, compressed, or garbage."""

import base64
import gzip
import json
import math
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from inference_requests import HEADER_LENGTH, MODEL, PIXELS, error, images, infer_in_bytes, own, packed

from app.limits import Limits


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_compressed_requests_are_read(client: FlaskClient, encoding: str, compress: Any) -> None:
    """Both encodings of Triton's client are understood."""
    body = compress(json.dumps({"inputs": [own()]}).encode())
    answer = client.post(f"{MODEL}/infer", data=body, headers={"Content-Encoding": encoding})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "encoding", "status", "told"),
    [
        (gzip.compress(bytes(Limits.body_bytes + 1)), "gzip", 413, "longer body"),
        (gzip.compress(b"{}" * 99)[:-9], "gzip", 400, "ends too early"),
        (gzip.compress(b"{}") + b"more", "gzip", 400, "after its end"),
        (b"{}", "deflate", 400, "not deflate"),
        (b"{}", "br", 415, "expected gzip or deflate"),
    ],
)
def test_compression_is_no_way_around_the_limits(
    client: FlaskClient, body: bytes, encoding: str, status: int, told: str
) -> None:
    """A small body that would become a large one is refused before it does."""
    answer = client.post(f"{MODEL}/infer", data=body, headers={"Content-Encoding": encoding})
    assert told in error(answer, status)


PHOTO = base64.b64encode(b"no image").decode()
DEEP = b'{"inputs": ' + b"[" * 900 + b"]" * 900 + b"}"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (DEEP, "input 1 is a JSON list"),
        ([], "the body is a JSON list"),
        ({}, '"inputs" is missing'),
        ({"inputs": []}, "1 to 16 tensors"),
        ({"inputs": [own()] * 17}, "1 to 16 tensors"),
        ({"inputs": ["pixels"]}, "input 1 is 'pixels'"),
        ({"inputs": [own()], "id": 7}, '"id" is 7'),
        ({"inputs": [own()], "parameters": []}, "parameters of the request"),
        ({"inputs": [own()], "parameters": {"binary_data_output": "yes"}}, "true or false"),
        ({"inputs": [own(), images(PHOTO)]}, "found 2 inputs"),
        ({"inputs": [own(parameters={"shared_memory_region": "a"})]}, "shares no memory"),
        ({"inputs": [own(parameters={"binary_data_size": 4})]}, "both data and binary_data_size"),
        ({"inputs": [own(None, parameters={"binary_data_size": 4})]}, HEADER_LENGTH),
        ({"inputs": [own(None)]}, '"data" of input 1 is missing'),
        ({"inputs": [own() | {"name": "other"}]}, "'pixels' (FP32)"),
        ({"inputs": [own(datatype="FP64")]}, "expected FP32"),
        ({"inputs": [own(datatype=["FP32"])]}, '"datatype" of input 1'),
        ({"inputs": [own(datatype="BYTES")]}, "'image' (BYTES)"),
        ({"inputs": [own(shape=[64])]}, "expected [n, 64]"),
        ({"inputs": [own(shape=[2, 32])]}, "expected [n, 64]"),
        ({"inputs": [own([], shape=[0, 64])]}, "n from 1 to 64"),
        ({"inputs": [own(shape=[65, 64])]}, "n from 1 to 64"),
        ({"inputs": [own(shape=[1, -64])]}, "whole numbers"),
        ({"inputs": [own(shape=[True, 64])]}, "whole numbers"),
        ({"inputs": [own(shape=[2**63, 64])]}, "n from 1 to 64"),
        ({"inputs": [own(shape=[1] * 9)]}, "1 to 8 whole numbers"),
        ({"inputs": [own(PIXELS[1:])]}, "63 values"),
        ({"inputs": [own([PIXELS[:32], PIXELS[32:]])]}, "lists of the shape [2, 32]"),
        ({"inputs": [own([PIXELS, PIXELS[1:]], (2, 64))]}, "different lengths"),
        ({"inputs": [own([[[value] for value in PIXELS]])]}, "lists of the shape"),
        ({"inputs": [own(["1", *PIXELS[1:]])]}, "a JSON str"),
        ({"inputs": [own([True, *PIXELS[1:]])]}, "a JSON bool"),
        ({"inputs": [own([None, *PIXELS[1:]])]}, "a JSON NoneType"),
        ({"inputs": [own([*PIXELS[1:], [1]])]}, "a JSON list"),
        ({"inputs": [own([1e39, *PIXELS[1:]])]}, "not finite"),
        ({"inputs": [own([10**400, *PIXELS[1:]])]}, "not JSON"),
        ({"inputs": [images()]}, "found 0 images"),
        ({"inputs": [images(PHOTO)]}, "image 1 is 8 bytes that are no image"),
        ({"inputs": [images("!")]}, "image 1 is not base64"),
        ({"inputs": [images("ä")]}, "image 1 is not base64"),
        ({"inputs": [images(PHOTO) | {"data": [7]}]}, "image 1 is a JSON int"),
        ({"inputs": [images(PHOTO, shape=[1, 2])]}, "expected [n]"),
        ({"inputs": [images(PHOTO, shape=[2])]}, "1 values"),
        ({"inputs": [images(PHOTO, parameters={"content_type": "str"})]}, "expected base64"),
        ({"inputs": [images(PHOTO, parameters={"content_type": 7})]}, "a text"),
        ({"inputs": [own()], "outputs": "labels"}, '"outputs" is'),
        ({"inputs": [own()], "outputs": [{}]}, '"name" of output 1 is missing'),
        ({"inputs": [own()], "outputs": [{"name": "scores"}]}, "one of probabilities, labels"),
        ({"inputs": [own()], "outputs": [{"name": "labels"}] * 2}, "each name once"),
        ({"inputs": [own()], "outputs": [{"name": "labels"}] * 17}, "at most 16"),
        ({"inputs": [own()], "outputs": [{"name": "labels", "parameters": {"classification": 0}}]}, "above 0"),
        ({"inputs": [own()], "outputs": [{"name": "labels", "parameters": {"classification": 11}}]}, "at most 10"),
        ({"inputs": [own()], "outputs": [{"name": "labels", "parameters": {"binary_data": 1}}]}, "true or false"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(client: FlaskClient, request_: object, told: str) -> None:
    """What cannot be answered is 400 and a sentence."""
    body = request_ if isinstance(request_, bytes) else json.dumps(request_).encode()
    assert told in error(client.post(f"{MODEL}/infer", data=body, content_type="application/json"))


PIXEL_BYTES = np.array(PIXELS, "<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "input_", "told"),
    [
        (PIXEL_BYTES[1:], own(None), "255 bytes; expected 256"),
        (PIXEL_BYTES + b"1", own(None), "257 bytes; expected 256"),
        (PIXEL_BYTES[4:] + struct.pack("<f", math.nan), own(None), "not finite"),
        (PIXEL_BYTES, own(None, parameters={"binary_data_size": 255}), "found 1 bytes after those"),
        (PIXEL_BYTES, own(None, parameters={"binary_data_size": 257}), "at most the 256"),
        (PIXEL_BYTES, own(None, parameters={"binary_data_size": -1}), "at most the 256"),
        (PIXEL_BYTES, own(None, parameters={"binary_data_size": "256"}), "at most the 256"),
        (PIXEL_BYTES, own(), "both data"),
        (packed(b"one", b"two"), images(shape=[1]) | {"data": None}, "more than 1 elements"),
        (packed(b"one"), images(shape=[2]) | {"data": None}, "1 elements; expected 2"),
        (b"\4\0\0\0one", images(shape=[1]) | {"data": None}, "3 bytes; expected 4 bytes in element 1"),
        (packed(b"one") + b"\0", images(shape=[2]) | {"data": None}, "1 bytes after element 1"),
        (b"\xff" * 4, images(shape=[1]) | {"data": None}, "expected 4294967295 bytes"),
        (b"", images(shape=[2**60]) | {"data": None}, "0 elements"),
    ],
)
def test_every_length_of_bytes_is_checked(client: FlaskClient, content: bytes, input_: Any, told: str) -> None:
    """Nothing is read beyond what was sent, and nothing is left over."""
    assert told in error(infer_in_bytes(client, content, input_))


@pytest.mark.parametrize("length", ["", "-1", "1e3", "999999", "9" * 5000, "²"])
def test_the_headers_length_is_checked(client: FlaskClient, length: str) -> None:
    """The JSON cannot be longer than the body."""
    headers = {HEADER_LENGTH: length.encode().decode("latin-1")}
    answer = client.post(f"{MODEL}/infer", data=json.dumps({"inputs": [own()]}), headers=headers)
    assert HEADER_LENGTH in error(answer)


def test_other_content_types_are_refused(client: FlaskClient) -> None:
    """Only JSON, and JSON with bytes after it, are read."""
    answer = client.post(f"{MODEL}/infer", data=b"{}", content_type="text/plain")
    assert "expected application/json" in error(answer, 415)


@given(body=st.binary(max_size=400), length=st.integers(0, 400))
@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_garbage_is_never_the_apps_fault(client: FlaskClient, body: bytes, length: int) -> None:
    """Any bytes are answered by a problem of the client's."""
    assert client.post(f"{MODEL}/infer", data=body, headers={HEADER_LENGTH: str(length)}).status_code == 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
FIELDS = {"name": st.just("image") | JSON, "shape": st.just([1, 64]) | JSON, "datatype": st.just("BYTES") | JSON}
MORE = {"data": JSON, "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": JSON}) | JSON}
INPUT = st.fixed_dictionaries(FIELDS, optional=MORE) | JSON
REQUEST = {"id": JSON, "parameters": JSON, "outputs": st.lists(st.fixed_dictionaries({"name": JSON}) | JSON) | JSON}


@given(
    request_=st.fixed_dictionaries({"inputs": st.lists(INPUT, max_size=3) | JSON}, optional=REQUEST), after=st.binary()
)
@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_odd_requests_are_never_the_apps_fault(client: FlaskClient, request_: Any, after: bytes) -> None:
    """Whatever stands in a field, the client learns that it is wrong."""
    header = json.dumps(request_).encode()
    answer = client.post(f"{MODEL}/infer", data=header + after, headers={HEADER_LENGTH: str(len(header))})
    assert answer.status_code in (200, 400), answer.text
