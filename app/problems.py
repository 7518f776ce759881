"""Answers that say what is wrong, all of one shape: problem details for HTTP APIs (RFC 9457)."""

from http import HTTPStatus

import orjson

from app.exchange import Answer, Headers

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """A request cannot be answered as asked; `detail` says what was found, what was expected and what to do.

    members: more that the answer's object tells. Its `error` repeats the detail, because that is where clients of
    `/score` and of the Open Inference Protocol look for it.
    Source: https://www.rfc-editor.org/rfc/rfc9457#section-3
    """

    def __init__(self, status: int, detail: str, headers: Headers = (), **members: object) -> None:
        self.status = status
        self.detail = detail
        self.headers = headers
        self._members = members
        super().__init__(detail)

    def answer(self, request_id: str = "") -> Answer:
        """Return the answer to send."""
        content = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "error": self.detail,
            "request_id": request_id,
            **self._members,
        }
        return Answer(orjson.dumps(content), self.status, CONTENT_TYPE, self.headers)
