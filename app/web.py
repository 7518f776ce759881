"""The app's HTTP side: which address answers what."""

import logging
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from app.drain import DrainFlag
from app.model import Model, ModelError, load_model
from app.release import read_release
from app.score import BadRequestError, score
from app.settings import Settings

ADVICE = "Put model.json and the ONNX file it names there, or set MODEL_DIR, and start the app again."

log = logging.getLogger(__name__)


def create_app(settings: Settings, leaving: DrainFlag) -> Flask:
    """Return the WSGI app, with its model loaded and warmed up, or unready where that fails."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body_bytes
    model = _load(settings)
    release = read_release(settings.release_file)
    app.add_url_rule("/", view_func=_healthy)
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.add_url_rule("/readyz", "readyz", _readyz(model, leaving))
    app.add_url_rule("/version", "version", lambda: _json(release))
    app.add_url_rule("/score", "score", _score(model, settings), methods=["POST"])
    app.register_error_handler(HTTPException, _http_error)
    app.after_request(_send_elsewhere(leaving))
    return app


def _load(settings: Settings) -> Model | dict[str, Any]:
    """Return the model, or the reason why there is none as `/readyz` tells it."""
    place = str(settings.model_dir.absolute())
    try:
        model = load_model(settings.model_dir, settings.intra_op_threads)
    except ModelError as error:
        log.warning("not ready: no model in %s: %s. %s", place, "; ".join(error.faults), ADVICE)
        return {"error": f"no model can be served from {place}. {ADVICE}", "faults": error.faults}
    log.info("serving the model %s from %s", model.card.name, place)
    return model


def _healthy() -> Response:
    return Response("Healthy", mimetype="text/plain")


def _healthz() -> Response:
    return _json({"status": "alive"})


def _readyz(model: Model | dict[str, Any], leaving: DrainFlag) -> Callable[[], Response]:
    def readyz() -> Response:
        if leaving.is_raised():
            return _json({"error": "the app is about to stop; send requests elsewhere"}, 503)
        if not isinstance(model, Model):
            return _json(model, 503)
        return _json({"status": "ready", "model": model.card.name})

    return readyz


def _score(model: Model | dict[str, Any], settings: Settings) -> Callable[[], Response]:
    def answer() -> Response:
        if request.mimetype != "application/json":
            found = request.mimetype or "no content type"
            return _json({"error": f"found {found}; expected Content-Type: application/json"}, 415)
        if not isinstance(model, Model):
            return _json(model, 503)
        try:
            return _json({"result": score(_body(settings.limits.body_bytes), model, settings.limits)})
        except BadRequestError as error:
            return _json({"error": str(error)}, error.status)

    return answer


def _body(limit: int) -> bytes:
    """Return the request's body, never more of it than `limit` bytes in memory."""
    told = request.content_length
    body = b"" if told and told > limit else request.get_data(cache=False)
    # A body sent in chunks tells no length: it is cut off at the limit instead.
    if (told is None and len(body) >= limit) or (told or 0) > limit:
        found = "a longer one" if told is None else f"{told} bytes"
        raise BadRequestError(
            f"found {found}; expected a body of at most {limit} bytes: send fewer images at once", 413
        )
    return body


def _http_error(error: HTTPException) -> Response:
    return _json({"error": error.description or error.name}, error.code or 500)


def _send_elsewhere(leaving: DrainFlag) -> Callable[[Response], Response]:
    def close_connection(response: Response) -> Response:
        # A client that keeps its connection would otherwise send its next request to a closing door.
        if leaving.is_raised():
            response.headers["Connection"] = "close"
        return response

    return close_connection


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")
