"""The app's HTTP side: which address answers what."""

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from app.drain import DrainFlag
from app.exchange import Answer, Call, Handler, Route
from app.flask_problems import flask_problem
from app.front import ERROR, FAILED, ROUTE, Front
from app.inference import inference_blueprint, inference_routes
from app.metrics import Metrics
from app.model import Model, ModelError, load_model
from app.openapi import openapi_document
from app.page import page_blueprint
from app.predict import Predict
from app.predictor import Observe, Predictor
from app.problems import Problem
from app.reference import reference_blueprint
from app.release import read_release
from app.request_log import RequestLog
from app.samples import Samples
from app.score import Score
from app.settings import Settings
from app.traces import start_traces
from app.watch import Watch

SCORE = "/score"
PREDICT = "/v1/predict"
ADVICE = "Put model.json and the ONNX file it names there, or set MODEL_DIR, and start the app again."

log = logging.getLogger(__name__)

NoModel = dict[str, Any]
"""Why there is no model: `error`, and `faults`."""


def create_app(
    settings: Settings, leaving: DrainFlag, metrics: Metrics | None = None, watch: Watch | None = None
) -> Flask:
    """Return the WSGI app, with its model loaded and warmed up, or unready where that fails.

    Requests are counted where there are `metrics`, and refused when there are too many where there is a `watch`.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body_bytes
    began = time.perf_counter()
    model = _load(settings)
    load_seconds = time.perf_counter() - began
    release = read_release(settings.release_file)
    samples = _keeping(settings)
    card = model.card if isinstance(model, Model) else None
    app.register_blueprint(page_blueprint(card, settings.limits, settings.samples))
    app.register_blueprint(reference_blueprint(openapi_document(card, release, settings.limits) if card else None))
    app.register_blueprint(inference_blueprint(model, release, leaving, settings.limits.images))
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.add_url_rule("/readyz", "readyz", _readyz(model, leaving))
    app.add_url_rule("/version", "version", _version(model, release, settings))
    if samples:
        app.add_url_rule("/samples", "samples", _samples(samples))
    app.before_request(_note_route)
    app.register_error_handler(Exception, _problem)
    predicted = metrics.predicted if metrics else None
    routes = _routes(model, settings, release["model_version"], samples, predicted) + ([watch.route()] if watch else [])
    waits = watch.waits if watch else None
    app.config["RELEASE"] = release["release"] or "none"
    front = Front(app.wsgi_app, routes, leaving, app.config["RELEASE"], settings.limits, waits)
    app.wsgi_app = front  # type: ignore[method-assign]
    if metrics:
        metrics.watch(app, [route.name for route in routes if route.name], waits.of if waits else None)
        front.observers.append(metrics)
        if card:
            metrics.serves(card.name, release, load_seconds)
    # The log last: it tells the trace that another has found.
    traces = start_traces(card.name if card else "app", release)
    front.observers += [*([traces] if traces else []), RequestLog(settings.logs)]
    return app


def _routes(
    model: Model | NoModel,
    settings: Settings,
    version: str | None,
    samples: Samples | None,
    observe: Observe | None,
) -> list[Route]:
    """Return what computes; without a model, the same addresses say why they cannot."""
    if not isinstance(model, Model):
        return [Route(path, path, _refusal(model)) for path in (SCORE, PREDICT)]
    predictor = Predictor(model, settings.limits, observe)
    watcher = samples.offer if samples else None
    return [
        Route(SCORE, SCORE, Score(predictor, watcher)),
        Route(PREDICT, PREDICT, Predict(predictor, version, watcher)),
        *inference_routes(predictor, version),
    ]


def _refusal(reason: NoModel) -> Handler:
    def refuse(call: Call) -> Answer:
        raise Problem(503, reason["error"], faults=reason["faults"])

    return refuse


def _load(settings: Settings) -> Model | NoModel:
    """Return the model, or the reason why there is none as `/readyz` tells it."""
    place = str(settings.model_dir.absolute())
    try:
        model = load_model(settings.model_dir, settings.intra_op_threads)
    except ModelError as error:
        log.warning("not ready: no model in %s: %s. %s", place, "; ".join(error.faults), ADVICE)
        return {"error": f"no model can be served from {place}. {ADVICE}", "faults": error.faults}
    log.info("serving the model %s from %s", model.card.name, place)
    return model


def _keeping(settings: Settings) -> Samples | None:
    keeping = settings.samples
    if keeping.count and not keeping.allowed:
        # A secret that is missing is no reason to serve nobody.
        log.warning("SAMPLES is %s, but nothing is kept: nobody could read it without a SAMPLES_TOKEN", keeping.count)
    return Samples(keeping) if keeping.allowed else None


def _healthz() -> Response:
    return _json({"status": "alive"})


def _readyz(model: Model | NoModel, leaving: DrainFlag) -> Callable[[], Response]:
    def readyz() -> Response:
        if leaving.is_raised():
            raise Problem(503, "the app is about to stop; send requests elsewhere")
        if not isinstance(model, Model):
            raise Problem(503, model["error"], faults=model["faults"])
        return _json({"status": "ready", "model": model.card.name})

    return readyz


def _version(model: Model | NoModel, release: dict[str, str | None], settings: Settings) -> Callable[[], Response]:
    since = settings.since.isoformat(timespec="seconds")
    content = {**release, "model": model.card.name if isinstance(model, Model) else None, "since": since}
    return lambda: _json(content)


def _samples(samples: Samples) -> Callable[[], Response]:
    def tell() -> Response:
        if samples.may_read(request.headers.get("Authorization", "")):
            answer = _json({"samples": [asdict(kept) for kept in samples.kept()]})
            answer.headers["Cache-Control"] = "no-store"
            return answer
        problem = "expected Authorization: Bearer and the token in SAMPLES_TOKEN"
        raise Problem(401, problem, (("WWW-Authenticate", "Bearer"),))

    return tell


def _note_route() -> None:
    request.environ[ROUTE] = request.url_rule.rule if request.url_rule else None


def _problem(error: Exception) -> Response:
    """Whatever goes wrong in a view is told as a problem, and never with a traceback."""
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, HTTPException):
        # A redirect, too, is an exception to Flask.
        if error.code is None or error.code < 400:
            return error.get_response()  # type: ignore[return-value]
        environ = request.environ
        problem = flask_problem(error, environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_HOST", ""))
    else:
        request.environ[ERROR] = traceback.format_exc()
        problem = FAILED
    answer = problem.answer(request.headers.get("X-Request-ID", ""))
    return Response(answer.body, answer.status, list(answer.headers), content_type=answer.content_type)


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), mimetype="application/json")
