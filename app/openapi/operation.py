"""The document's part on what the app says about itself."""

from collections.abc import Mapping

from app.card import Card
from app.openapi.answers import PROBLEM, Json, json_of, ok, problems, schema_ref
from app.release import FIELDS

TEXT: Json = {"schema": {"type": "string"}}


def operation_paths(card: Card, release: Mapping[str, str | None]) -> Json:
    """Return these addresses."""
    version = {**{field: release.get(field) for field in FIELDS}, "model": card.name, "since": "2026-11-23T02:10:00Z"}
    return {
        "/": _get("page", "The page for people", "The page for a browser, `Healthy` for all others.", _root()),
        "/healthz": _get("alive", "Is the process alive?", "It is.", json_of(schema_ref("Alive"))),
        "/readyz": _get(
            "ready", "Does the app want requests?", "It does.", json_of(_ready(card), _example_ready(card)), 503
        ),
        "/version": _get("version", "Which release is this?", "Nulls outside a release.", _version(version)),
        "/metrics": _get("metrics", "Counters for Prometheus", "Over all worker processes.", {"text/plain": TEXT}),
        "/openapi.json": _get(
            "document", "This document", "OpenAPI 3.1.", json_of({"type": "object", "required": ["openapi", "paths"]})
        ),
        "/docs": _get("reference", "This document for people", "A page that needs no script.", {"text/html": TEXT}),
    }


def operation_schemas() -> Json:
    """Return the schemas that these use."""
    fact = {"type": ["string", "null"]}
    return {
        "Problem": PROBLEM,
        "Alive": {
            "type": "object",
            "required": ["status"],
            "additionalProperties": False,
            "properties": {"status": {"const": "alive"}},
        },
        "Version": {
            "type": "object",
            "required": [*FIELDS, "model", "since"],
            "properties": {
                **dict.fromkeys(FIELDS, fact),
                "model": {**fact, "description": "The model's name; null while there is none."},
                "since": {"type": "string", "format": "date-time", "description": "When the app was started, in UTC."},
            },
        },
    }


def _get(name: str, summary: str, description: str, content: Json, *faults: int) -> Json:
    operation = {
        "operationId": name,
        "tags": ["Operation"],
        "summary": summary,
        "responses": {"200": ok(description, content), **problems(*faults)},
    }
    return {"get": operation}


def _root() -> Json:
    return {"text/plain": {"schema": {"const": "Healthy"}, "example": "Healthy"}, "text/html": TEXT}


def _ready(card: Card) -> Json:
    return {
        "type": "object",
        "required": ["status", "model"],
        "properties": {"status": {"const": "ready"}, "model": {"const": card.name}},
    }


def _example_ready(card: Card) -> Json:
    return {"status": "ready", "model": card.name}


def _version(example: Json) -> Json:
    return json_of(schema_ref("Version"), example)
