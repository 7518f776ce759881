"""The document's part on `/v2`, the Open Inference Protocol.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from collections.abc import Mapping

from app.card import Card
from app.limits import Limits
from app.openapi.answers import Json, json_of, ok, problems, schema_ref
from app.openapi.example import IMAGE, example_labels
from app.openapi.prediction import BEST
from app.openapi.tensors import DATATYPES, parameters, tensor_schemas

TAG = "Open Inference Protocol"

BINARY = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "Of a body that starts with JSON and ends with binary tensors: how many bytes are JSON.",
    "schema": {"type": "integer", "minimum": 0},
}


def inference_paths(card: Card, release: Mapping[str, str | None], limits: Limits) -> Json:
    """Return the addresses; each that names a model exists with and without a version."""
    version = release.get("model_version") or "1"
    name = {"name": "name", "in": "path", "required": True, "schema": {"const": card.name}, "example": card.name}
    versioned = {"name": "version", "in": "path", "required": True, "schema": {"const": version}, "example": version}
    paths: Json = {
        "/v2": {"get": _get("server", "What is this server?", "Server")},
        "/v2/health/live": {"get": _get("serverLive", "Is the server alive?", "Live")},
        "/v2/health/ready": {"get": _get("serverReady", "Is the server ready?", "Ready", 503)},
    }
    for suffix, mark, given in (("", "", [name]), ("/versions/{version}", "Version", [name, versioned])):
        address = "/v2/models/{name}" + suffix
        paths[address] = {"parameters": given, "get": _get(f"model{mark}", "What does the model take?", "Model", 404)}
        paths[f"{address}/ready"] = {
            "parameters": given,
            "get": _get(f"model{mark}Ready", "Is the model ready?", "ModelReady", 404, 503),
        }
        paths[f"{address}/infer"] = {"parameters": given, "post": _infer(f"infer{mark}", card, version, limits)}
    return paths


def inference_schemas(card: Card) -> Json:
    """Return the schemas of these addresses."""
    return {
        "Server": _object(
            name={"type": "string"},
            version={"type": "string"},
            extensions={"type": "array", "items": {"type": "string"}},
        ),
        "Live": _object(live={"const": True}),
        "Ready": _object(ready={"const": True}),
        "Model": _object(
            name={"const": card.name},
            versions={"type": "array", "items": {"type": "string"}},
            platform={"type": "string"},
            inputs={"type": "array", "items": schema_ref("TensorMetadata"), "minItems": 1},
            outputs={"type": "array", "items": schema_ref("TensorMetadata"), "minItems": 1},
        ),
        "ModelReady": {
            "type": "object",
            "required": ["ready"],
            "properties": {"name": {"type": "string"}, "ready": {"const": True}},
        },
        "TensorMetadata": {
            "type": "object",
            "required": ["name", "datatype", "shape"],
            "properties": {
                "name": {"type": "string"},
                "datatype": {"enum": DATATYPES},
                "shape": {"type": "array", "items": {"type": "integer", "minimum": -1}},
                "parameters": parameters(),
            },
        },
        **tensor_schemas(card),
    }


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def _get(operation: str, summary: str, schema: str, *faults: int) -> Json:
    return {
        "operationId": operation,
        "tags": [TAG],
        "summary": summary,
        "responses": {"200": ok("It is told.", json_of(schema_ref(schema))), **problems(*faults)},
    }


def _infer(operation: str, card: Card, version: str, limits: Limits) -> Json:
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [IMAGE]}
    labels = example_labels(card.labels)[:BEST]
    wanted = {"name": "labels", "parameters": {"classification": len(labels)}}
    request = {"inputs": [{**image, "parameters": {"content_type": "base64"}}], "outputs": [wanted]}
    output = {"name": "labels", "datatype": "BYTES", "shape": [1, len(labels)], "data": labels}
    answer = {"model_name": card.name, "model_version": version, "outputs": [output]}
    return {
        "operationId": operation,
        "tags": [TAG],
        "summary": "Let the model answer",
        "description": (
            f"The model's own tensor `{card.input.name}`, or image files as `image`, at most {limits.images} at once."
        ),
        "parameters": [BINARY, {"$ref": "#/components/parameters/RequestId"}],
        "requestBody": {
            "required": True,
            "content": {
                **json_of(schema_ref("InferRequest"), request),
                "application/octet-stream": {
                    "schema": {"type": "string", "contentMediaType": "application/octet-stream"}
                },
            },
        },
        "responses": {
            "200": ok(
                "The outputs asked for.",
                {
                    **json_of(schema_ref("InferAnswer"), answer),
                    "application/octet-stream": {"schema": {"type": "string"}},
                },
                {
                    "Inference-Header-Content-Length": {
                        "description": "Of an answer with binary tensors: how many bytes of it are JSON.",
                        "schema": {"type": "integer", "minimum": 1},
                    }
                },
            ),
            **problems(400, 404, 413, 415, 503),
        },
    }
