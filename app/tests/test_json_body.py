"""JSON that would need far more memory than it has bytes."""

import pytest
from flask.testing import FlaskClient

MODEL = "/v2/models/digits/infer"


@pytest.mark.parametrize("part", [b"[]", b"[[0]]", b"{}", b'{"":0}', b'"a"'])
@pytest.mark.parametrize(("path", "field"), [("/score", b"input"), (MODEL, b"inputs")])
def test_a_small_body_of_very_many_parts_is_refused(client: FlaskClient, path: str, field: bytes, part: bytes) -> None:
    """A body of 8 MiB within the limit could need 300 MB."""
    body = b'{"%s":[%s0]}' % (field, (part + b",") * 600_000)
    answer = client.post(path, data=body, content_type="application/json")
    assert answer.status_code == 413
    assert "expected at most" in answer.get_json()["detail"]


def test_a_text_that_holds_very_many_parts_is_refused(client: FlaskClient) -> None:
    """The old form of `/score` has its list in a text."""
    answer = client.post("/score", json={"input": "[" + "{}," * 2000 + "{}]"})
    assert answer.status_code == 413


def test_a_batch_of_nested_lists_is_read(client: FlaskClient) -> None:
    """A client may write a tensor as lists of lists: there are many of them."""
    content = {"name": "pixels", "datatype": "FP32", "shape": [64, 64], "data": [[0.5] * 64 for _ in range(64)]}
    assert client.post(MODEL, json={"inputs": [content]}).status_code == 200
