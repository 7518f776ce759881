"""What the answers of many addresses share: headers, and problems."""

from http import HTTPStatus
from typing import Any

from app.problems import CONTENT_TYPE

Json = dict[str, Any]

WHY = {
    400: "The request cannot be understood; `detail` says what was found and what was expected.",
    404: "There is no model, or no version of it, of that name.",
    413: "The request brings more bytes, images or pixels than one request may.",
    415: "The body is of a kind that this address does not read.",
    503: "The app is busy, about to stop, or has no model: send the request again after `Retry-After`, or later.",
}

COMMON_HEADERS: Json = {
    "Release": {
        "description": "The release that answered, or `none` outside a release.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "RequestId": {
        "description": "The request's id in the app's logs: the one that the request brought, else a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[ -~]{1,128}$"},
    },
    "RetryAfter": {
        "description": "Seconds to wait before the request is sent again. Told by a full queue.",
        "schema": {"type": "integer", "minimum": 1},
    },
}

HEADERS: Json = {
    "X-Release": {"$ref": "#/components/headers/Release"},
    "X-Request-ID": {"$ref": "#/components/headers/RequestId"},
}

REQUEST_ID: Json = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "An id of your own for this request. One that is too long or holds odd characters is replaced.",
    "schema": {"type": "string"},
}

PROBLEM: Json = {
    "type": "object",
    "description": "Problem details (RFC 9457). `error` repeats `detail`, for clients that look there.",
    "required": ["type", "title", "status", "detail", "error", "request_id"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "minLength": 1},
        "error": {"type": "string", "minLength": 1},
        "request_id": {"type": "string"},
        "faults": {"type": "array", "items": {"type": "string"}, "description": "Why there is no model."},
    },
}


def ok(description: str, content: Json, headers: Json | None = None) -> Json:
    """Return an answer 200; content: by media type."""
    return {"description": description, "headers": {**HEADERS, **(headers or {})}, "content": content}


def json_of(schema: Json, example: object = None) -> Json:
    """Return a JSON body's content."""
    return {"application/json": {"schema": schema, **({} if example is None else {"example": example})}}


def schema_ref(name: str) -> Json:
    """Return a reference to one of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def problems(*statuses: int) -> Json:
    """Return the answers that tell problems, by status."""
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in statuses}


def problem_answers() -> Json:
    """Return the document's shared answers."""
    return {_name(status): _problem_answer(status, why) for status, why in WHY.items()}


def _problem_answer(status: int, why: str) -> Json:
    retry = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}} if status == 503 else {}
    return {
        "description": why,
        "headers": {**HEADERS, **retry},
        "content": {CONTENT_TYPE: {"schema": schema_ref("Problem")}},
    }


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "")
