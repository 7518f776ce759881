"""The OpenAPI document: every public address of this app, with the labels, limits and name of the model it serves.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""

from collections.abc import Mapping
from typing import Any

from app.card import Card
from app.limits import Limits
from app.openapi.answers import COMMON_HEADERS, REQUEST_ID, problem_answers
from app.openapi.inference import inference_paths, inference_schemas
from app.openapi.operation import operation_paths, operation_schemas
from app.openapi.prediction import prediction_paths, prediction_schemas

DESCRIPTION = """\
Classifies images with the model `{name}`, which knows {count} labels: {labels}.

A request may bring {body_bytes} bytes, {images} images and {pixels} pixels at most. An image may be a PNG, JPEG, WebP,
GIF (its first frame) or BMP of any size. Every answer carries `X-Release`, the release that answered, and
`X-Request-ID`. What goes wrong is answered by problem details (RFC 9457). No address asks for a login."""

TAGS = (
    {"name": "Prediction", "description": "From an image to the likeliest labels."},
    {
        "name": "Open Inference Protocol",
        "description": "Version 2 over HTTP, with binary tensors: clients of KServe and Triton work unchanged.",
        "externalDocs": {"url": "https://github.com/kserve/open-inference-protocol"},
    },
    {"name": "Operation", "description": "For load balancers, monitoring and the curious."},
)

SHOWN_LABELS = 20


def openapi_document(card: Card, release: Mapping[str, str | None], limits: Limits) -> dict[str, Any]:
    """Return the document as JSON can tell it; `release` as `/version` tells it."""
    return {
        "openapi": "3.1.0",
        "info": {"title": card.name, "version": "1.0.0", "description": _description(card, limits)},
        "servers": [{"url": "/"}],
        "tags": list(TAGS),
        "security": [],
        "paths": {
            **prediction_paths(card, release, limits),
            **inference_paths(card, release, limits),
            **operation_paths(card, release),
        },
        "components": {
            "headers": COMMON_HEADERS,
            "parameters": {"RequestId": REQUEST_ID},
            "responses": problem_answers(),
            "schemas": {
                **prediction_schemas(card, limits),
                **inference_schemas(card),
                **operation_schemas(),
            },
        },
    }


def _description(card: Card, limits: Limits) -> str:
    shown = ", ".join(f"`{label}`" for label in card.labels[:SHOWN_LABELS])
    more = len(card.labels) - SHOWN_LABELS
    return DESCRIPTION.format(
        name=card.name,
        count=len(card.labels),
        labels=shown + (f" and {more} more" if more > 0 else ""),
        body_bytes=f"{limits.body_bytes:,}",
        images=f"{limits.images:,}",
        pixels=f"{limits.pixels:,}",
    )
