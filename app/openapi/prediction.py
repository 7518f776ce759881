"""The document's part on `/v1/predict` and `/score`."""

import json
from collections.abc import Mapping

from app.card import Card
from app.limits import Limits
from app.openapi.answers import Json, json_of, ok, problems, schema_ref
from app.openapi.example import IMAGE, example_labels, example_probabilities

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "application/octet-stream")

BEST = 3


def prediction_paths(card: Card, release: Mapping[str, str | None], limits: Limits) -> Json:
    """Return both addresses."""
    return {
        "/v1/predict": {"post": _predict(card, release, limits)},
        "/score": {"post": _score(card)},
    }


def prediction_schemas(card: Card, limits: Limits) -> Json:
    """Return the schemas that both use."""
    label = {"type": "string", "enum": list(card.labels)}
    ranked = {
        "type": "object",
        "required": ["label", "probability"],
        "additionalProperties": False,
        "properties": {"label": label, "probability": {"type": "number", "minimum": 0, "maximum": 1}},
    }
    image = {"type": "string", "contentEncoding": "base64", "description": "An image file in base64."}
    return {
        "Ranked": ranked,
        "Predictions": _predictions(card, limits),
        "Images": {
            "type": "object",
            "description": "Files of any field name; their order is kept.",
            "minProperties": 1,
            "properties": {"image": {"type": "array", "items": {"type": "string", "contentMediaType": "image/png"}}},
        },
        "ScoreRequest": {
            "type": "object",
            "required": ["input"],
            "properties": {
                "input": {
                    "description": "A list of images in base64: as it is, or as a JSON text.",
                    "anyOf": [
                        {"type": "array", "minItems": 1, "maxItems": limits.images, "items": image},
                        {"type": "string", "contentMediaType": "application/json"},
                    ],
                }
            },
        },
        "Scores": _scores(label, min(BEST, len(card.labels))),
    }


def _predictions(card: Card, limits: Limits) -> Json:
    ranking = {"type": "array", "items": schema_ref("Ranked"), "minItems": 1, "maxItems": len(card.labels)}
    prediction = {
        "type": "object",
        "required": ["labels"],
        "additionalProperties": False,
        "properties": {"labels": {**ranking, "description": "The best first."}},
    }
    model = {
        "type": "object",
        "required": ["name", "version"],
        "additionalProperties": False,
        "properties": {"name": {"const": card.name}, "version": {"type": ["string", "null"]}},
    }
    return {
        "type": "object",
        "required": ["model", "predictions", "milliseconds"],
        "additionalProperties": False,
        "properties": {
            "model": model,
            "predictions": {
                "type": "array",
                "description": "One for each image, in the order sent.",
                "items": prediction,
                "minItems": 1,
                "maxItems": limits.images,
            },
            "milliseconds": {"type": "number", "minimum": 0, "description": "From the body to the labels."},
        },
    }


def _scores(label: Json, count: int) -> Json:
    percent = {"type": "number", "minimum": 0, "maximum": 100}
    # Pairs of unlike things: a generator of clients understands this sooner than `prefixItems`.
    ranked = {"type": "array", "items": {"anyOf": [label, percent]}, "minItems": 2, "maxItems": 2}
    ranking = {"type": "array", "items": ranked, "minItems": count, "maxItems": count}
    took = {"type": "string", "pattern": r"^Computed in [0-9.]+ ms$"}
    return {
        "type": "object",
        "required": ["result"],
        "additionalProperties": False,
        "properties": {
            "result": {
                "type": "array",
                "description": "Each image's best labels in percent, and how long that took.",
                "items": {"anyOf": [{"type": "array", "items": ranking, "minItems": 1}, took]},
                "minItems": 2,
                "maxItems": 2,
            }
        },
    }


def _predict(card: Card, release: Mapping[str, str | None], limits: Limits) -> Json:
    best = min(BEST, len(card.labels))
    top = {
        "name": "top",
        "in": "query",
        "description": "How many labels each image is answered with, the best first.",
        "schema": {"type": "integer", "minimum": 1, "maximum": len(card.labels), "default": best},
        "example": best,
    }
    ranking = zip(example_labels(card.labels), example_probabilities(best), strict=False)
    example = {
        "model": {"name": card.name, "version": release.get("model_version")},
        "predictions": [{"labels": [{"label": label, "probability": share} for label, share in ranking]}],
        "milliseconds": 0.35,
    }
    raw = {kind: {"schema": {"type": "string", "contentMediaType": kind}} for kind in IMAGE_TYPES}
    return {
        "operationId": "predict",
        "tags": ["Prediction"],
        "summary": "Classify images",
        "description": f"One image as the body itself, or up to {limits.images} as the files of a form.",
        "parameters": [top, {"$ref": "#/components/parameters/RequestId"}],
        "requestBody": {
            "required": True,
            "content": {**raw, "multipart/form-data": {"schema": schema_ref("Images")}},
        },
        "responses": {
            "200": ok("The likeliest labels of each image.", json_of(schema_ref("Predictions"), example)),
            **problems(400, 413, 415, 503),
        },
    }


def _score(card: Card) -> Json:
    best = min(BEST, len(card.labels))
    ranking = zip(example_labels(card.labels), example_probabilities(best), strict=False)
    example = {"result": [[[[label, round(share * 100, 2)] for label, share in ranking]], "Computed in 0.35 ms"]}
    return {
        "operationId": "score",
        "tags": ["Prediction"],
        "summary": "Classify images, the older way",
        "description": "Kept as it was for the clients that know it; new ones find `/v1/predict` easier.",
        "parameters": [{"$ref": "#/components/parameters/RequestId"}],
        "requestBody": {
            "required": True,
            "content": json_of(schema_ref("ScoreRequest"), {"input": json.dumps([IMAGE])}),
        },
        "responses": {
            "200": ok(f"The best {best} labels of each image, in percent.", json_of(schema_ref("Scores"), example)),
            **problems(400, 413, 415, 503),
        },
    }
