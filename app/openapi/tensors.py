"""The document's schemas of tensors: what the model takes and answers over the Open Inference Protocol."""

from app.card import Card
from app.openapi.answers import Json, schema_ref

DATATYPES = [
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
    "BYTES",
]

DATATYPE_OF = {"float32": "FP32", "uint8": "UINT8"}


def tensor_schemas(card: Card) -> Json:
    """Return the schemas of a request and its answer."""
    return {
        "InferRequest": {
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "id": {"type": "string", "description": "Comes back in the answer."},
                "parameters": parameters(),
                "inputs": {
                    "type": "array",
                    "items": {"anyOf": [schema_ref("TensorInput"), schema_ref("ImageInput")]},
                    "minItems": 1,
                    "maxItems": 1,
                },
                "outputs": {"type": "array", "items": schema_ref("RequestedOutput"), "uniqueItems": True},
            },
        },
        "TensorInput": _tensor(
            {"const": card.input.name},
            {"const": DATATYPE_OF[card.input.type]},
            {
                "type": "array",
                "prefixItems": _sizes(card),
                "minItems": len(card.input.shape),
                "maxItems": len(card.input.shape),
            },
            {
                "type": "array",
                "description": "Numbers, flat or in lists of lists.",
                "items": {"type": ["number", "array"]},
            },
        ),
        "ImageInput": _tensor(
            {"const": "image"},
            {"const": "BYTES"},
            {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2},
            {"type": "array", "description": "Image files in base64.", "items": {"type": "string"}, "minItems": 1},
        ),
        "RequestedOutput": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"enum": [card.output.name, *_more_outputs(card)]},
                "parameters": parameters(),
            },
        },
        "InferAnswer": {
            "type": "object",
            "required": ["model_name", "model_version", "outputs"],
            "properties": {
                "model_name": {"const": card.name},
                "model_version": {"type": "string"},
                "id": {"type": "string"},
                "parameters": parameters(),
                "outputs": {"type": "array", "items": schema_ref("Output"), "minItems": 1},
            },
        },
        "Output": {
            "type": "object",
            "required": ["name", "datatype", "shape"],
            "properties": {
                "name": {"type": "string"},
                "datatype": {"enum": DATATYPES},
                "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
                "parameters": parameters(),
                "data": {"type": "array", "items": {"type": ["number", "string", "boolean", "array", "null"]}},
            },
        },
    }


def parameters() -> Json:
    """Return the schema of the protocol's `parameters`: an object of plain values."""
    return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}


def _tensor(name: Json, datatype: Json, shape: Json, data: Json) -> Json:
    return {
        "type": "object",
        "required": ["name", "datatype", "shape"],
        "properties": {"name": name, "datatype": datatype, "shape": shape, "data": data, "parameters": parameters()},
    }


def _sizes(card: Card) -> list[Json]:
    return [{"const": size} if size else {"type": "integer", "minimum": 1} for size in card.input.shape]


def _more_outputs(card: Card) -> list[str]:
    return [name for name in ("probabilities", "labels") if name != card.output.name]
