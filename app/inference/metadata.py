"""What the Open Inference Protocol tells of the server and its model: everything but `infer`."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from flask import Blueprint, Response

from app.drain import DrainFlag
from app.inference.json_fields import short
from app.inference.names import BASE64, BYTES, EXTENSIONS, FLOAT, IMAGE, LABELS, PROBABILITIES, TYPES, UNVERSIONED
from app.model import Model
from app.problems import Problem

PLATFORM = "onnxruntime_onnx"
"""Triton's word for ONNX Runtime with an ONNX file."""

SERVER = "app"


def inference_blueprint(
    model: Model | dict[str, Any], release: Mapping[str, str | None], leaving: DrainFlag, most_images: int
) -> Blueprint:
    """Return the views of one model, or of none: then it is the reason why. most_images: in one request."""
    views = _Views(model, release, leaving, most_images)
    blueprint = Blueprint("inference", __name__)

    def add(rule: str, view: Callable[..., Response], method: str = "GET") -> None:
        blueprint.add_url_rule(f"/v2{rule}", rule or "/", view, methods=[method], strict_slashes=False)

    add("", views.server)
    add("/health/live", views.live)
    add("/health/ready", views.ready)
    add("/repository/index", views.index, "POST")
    for path in ("/models/<path:name>", "/models/<path:name>/versions/<version>"):
        add(path, views.metadata)
        add(f"{path}/ready", views.model_ready)
        add(f"{path}/config", views.config)
        # The model's own address is answered ahead of Flask: whoever comes here asks for another.
        add(f"{path}/infer", views.no_such_model, "POST")
    return blueprint


class _Views:
    def __init__(
        self, model: Model | dict[str, Any], release: Mapping[str, str | None], leaving: DrainFlag, most_images: int
    ) -> None:
        self._model = model
        self._version = release["model_version"] or UNVERSIONED
        self._release = release["release"] or "none"
        self._leaving = leaving
        self._most_images = most_images

    def server(self) -> Response:
        return _json({"name": SERVER, "version": self._release, "extensions": EXTENSIONS})

    def live(self) -> Response:
        return _json({"live": True})

    def ready(self) -> Response:
        self._there()
        return _json({"live": True, "ready": True})

    def index(self) -> Response:
        if not isinstance(self._model, Model):
            return _json([])
        state = "UNAVAILABLE" if self._leaving.is_raised() else "READY"
        return _json([{"name": self._model.card.name, "version": self._version, "state": state, "reason": ""}])

    def metadata(self, name: str, version: str | None = None) -> Response:
        model = self._found(name, version)
        card = model.card
        shape, labels = [-1 if model.batches else 1, *card.input.shape[1:]], len(card.labels)
        own = {"name": card.input.name, "datatype": TYPES[card.input.type], "shape": shape}
        # A request has either of the two.
        image = {"content_type": BASE64, "instead_of": card.input.name}
        outputs = {card.output.name: (FLOAT, labels), PROBABILITIES: (FLOAT, labels), LABELS: (BYTES, -1)}
        outputs[card.output.name] = (FLOAT, labels)
        return _json(
            {
                "name": card.name,
                "versions": [self._version],
                "platform": PLATFORM,
                "inputs": [own, {"name": IMAGE, "datatype": BYTES, "shape": [-1], "parameters": image}],
                "outputs": [
                    {"name": told, "datatype": kind, "shape": [-1, size]} for told, (kind, size) in outputs.items()
                ],
            }
        )

    def model_ready(self, name: str, version: str | None = None) -> Response:
        self._found(name, version)
        self._there()
        return _json({"name": name, "ready": True})

    def config(self, name: str, version: str | None = None) -> Response:
        """Answer with the part of Triton's `model_config.proto` that says how tensors are to be sent."""
        model = self._found(name, version)
        card, batches = model.card, model.batches
        first = [] if batches else [1]
        kind = f"TYPE_{TYPES[card.input.type]}"
        return _json(
            {
                "name": card.name,
                "platform": PLATFORM,
                "backend": "onnxruntime",
                "max_batch_size": self._most_images if batches else 0,
                "input": [{"name": card.input.name, "data_type": kind, "dims": [*first, *card.input.shape[1:]]}],
                "output": [
                    {"name": card.output.name, "data_type": f"TYPE_{FLOAT}", "dims": [*first, len(card.labels)]}
                ],
            }
        )

    def no_such_model(self, name: str, version: str | None = None) -> Response:
        self._found(name, version)
        raise Problem(404, f"found the model {short(name)} at another address than the one that its metadata tells")

    def _there(self) -> None:
        if self._leaving.is_raised():
            raise Problem(503, "the app is about to stop; send requests elsewhere")
        if not isinstance(self._model, Model):
            raise Problem(503, self._model["error"], faults=self._model["faults"])

    def _found(self, name: str, version: str | None) -> Model:
        if not isinstance(self._model, Model):
            raise Problem(503, self._model["error"], faults=self._model["faults"])
        if name != self._model.card.name:
            raise Problem(404, f"found no model {short(name)}; expected {self._model.card.name!r}, the only one here")
        if version not in (None, self._version):
            raise Problem(404, f"found no version {short(version)} of {name!r}; expected {self._version!r}, or none")
        return self._model


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), mimetype="application/json")
