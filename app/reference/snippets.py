"""Lines of shell and Python that work when they are pasted: they bring their own image."""

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from app.openapi.example import IMAGE
from app.reference.schemas import Resolver

FILE = "example.png"


def save_example() -> str:
    """Return the line that writes the example's image into a file."""
    return f"echo {IMAGE} | base64 -d > {FILE}"


def curl(host: str, method: str, path: str, item: Mapping[str, Any], resolver: Resolver) -> str:
    """Return a command that asks one address of `host`, such as `http://localhost:8080`."""
    given = {it["name"]: it["example"] for it in resolver.all(item.get("parameters", ())) if "example" in it}
    address = shlex.quote(host + path.format(**{name: quote(str(value)) for name, value in given.items()}))
    content = item[method].get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = shlex.quote(json.dumps(content["application/json"]["example"]))
        return f"curl {address} -H 'Content-Type: application/json' -d {body}"
    if "image/png" in content:
        return f"echo {IMAGE} | base64 -d | curl {address} -H 'Content-Type: image/png' --data-binary @-"
    return f"curl {address}"


def with_requests(host: str) -> str:
    """Return a Python program for `/v1/predict`."""
    return f"""\
import requests

with open("{FILE}", "rb") as image:
    answer = requests.post({json.dumps(host + "/v1/predict")}, files={{"image": image}}, timeout=10)
answer.raise_for_status()
for prediction in answer.json()["predictions"]:
    print(prediction["labels"])
"""


def with_tritonclient(host: str, model: str) -> str:
    """Return a Python program for the Open Inference Protocol."""
    scheme, _, address = host.partition("://")
    secure = ", ssl=True" if scheme == "https" else ""
    return f"""\
import numpy
import tritonclient.http as triton

with open("{FILE}", "rb") as file:
    images = numpy.array([file.read()], dtype=object)
image = triton.InferInput("image", [1], "BYTES")
image.set_data_from_numpy(images)
client = triton.InferenceServerClient({json.dumps(address)}{secure})
answer = client.infer({json.dumps(model)}, [image], outputs=[triton.InferRequestedOutput("labels")])
print(answer.as_numpy("labels"))
"""
