"""Requests of the Open Inference Protocol to the demo model, and what is expected of every answer."""

import json
import struct
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HEADER_LENGTH = "Inference-Header-Content-Length"
MODEL = "/v2/models/digits"
PIXELS = [0.25] * 64


def own(data: Any = PIXELS, shape: Any = (1, 64), datatype: Any = "FP32", **more: Any) -> dict[str, Any]:
    """Return the model's own input in JSON."""
    return {"name": "pixels", "shape": list(shape), "datatype": datatype, "data": data, **more}


def images(*contents: str, shape: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": "image", "shape": shape or [len(contents)], "datatype": "BYTES", "data": list(contents), **more}


def infer(client: FlaskClient, *inputs: Any, path: str = MODEL, **more: Any) -> TestResponse:
    return client.post(f"{path}/infer", json={"inputs": inputs, **more})


def infer_in_bytes(client: FlaskClient, content: bytes, told: dict[str, Any], **more: Any) -> TestResponse:
    """Send one input as bytes after the JSON."""
    told = {"parameters": {"binary_data_size": len(content)}, **told}
    header = json.dumps({"inputs": [told], **more}).encode()
    return client.post(f"{MODEL}/infer", data=header + content, headers={HEADER_LENGTH: str(len(header))})


def outputs(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {output["name"]: output for output in answer.get_json()["outputs"]}


def error(answer: TestResponse, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    told = answer.get_json()
    assert answer.content_type == "application/problem+json" and told["detail"] == told["error"]
    return str(told["error"])


def packed(*contents: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(content)) + content for content in contents)
