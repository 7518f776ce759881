"""`POST /v2/models/{name}/infer`: from tensors or images to tensors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.exchange import Answer, Call, Route
from app.images import ImageError
from app.inference.inputs import files, numbers, only_input
from app.inference.names import BYTES, UNVERSIONED
from app.inference.outputs import Computed, Outputs
from app.inference.request import HEADER_LENGTH, GivenInput, read_request
from app.predictor import Predictor
from app.problems import Problem

CONTENT_TYPES = ("", "application/json", "application/octet-stream")


def inference_routes(predictor: Predictor, version: str | None) -> list[Route]:
    """Return the routes that compute. version: of the model, None outside a release."""
    infer = Infer(predictor, version or UNVERSIONED)
    model = f"/v2/models/{predictor.model.card.name}"
    versioned = f"{model}/versions/{version or UNVERSIONED}/infer"
    return [
        Route("/v2/models/{name}/infer", _in_environ(f"{model}/infer"), infer),
        Route("/v2/models/{name}/versions/{version}/infer", _in_environ(versioned), infer),
    ]


class Infer:
    """The handler of one model and version."""

    def __init__(self, predictor: Predictor, version: str) -> None:
        self._predictor = predictor
        self._card = predictor.model.card
        self._outputs = Outputs(self._card, version)

    def __call__(self, call: Call) -> Answer:
        """Answer with the outputs that are asked for."""
        if call.content_type not in CONTENT_TYPES:
            expected = f"application/json, or application/octet-stream with {HEADER_LENGTH}"
            raise Problem(415, f"found Content-Type: {call.content_type}; expected {expected}")
        request = read_request(call.body, call.header(HEADER_LENGTH))
        wanted = self._outputs.wanted(request)
        computed = self._compute(only_input(request.inputs, self._card))
        self._tell(computed.probabilities)
        return self._outputs.answer(request.id, wanted, computed)

    def _compute(self, given: GivenInput) -> Computed:
        model, limits = self._predictor.model, self._predictor.limits
        if given.datatype == BYTES:
            tensor = self._prepared(self._predictor.open_bytes(files(given)))
        else:
            tensor = numbers(given, self._card, limits.images if model.batches else 1)
        raw = model.run(tensor)
        # Numbers that no image has may make a model overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            probabilities = model.rate(raw)
        return Computed(raw.reshape(probabilities.shape), probabilities)

    def _prepared(self, images: Sequence[Image.Image]) -> NDArray[Any]:
        try:
            return self._predictor.model.tensor(images)
        except ImageError as error:
            raise Problem(400, f"image {error.place} {error}") from error

    def _tell(self, probabilities: NDArray[np.float64]) -> None:
        observe = self._predictor.observe
        if observe:
            for row in probabilities:
                best = int(row.argmax())
                if np.isfinite(row[best]):
                    observe(self._card.labels[best], float(row[best]))


def _in_environ(path: str) -> str:
    """Return a path as PEP 3333 has it in PATH_INFO: each character one byte of its UTF-8."""
    return path.encode().decode("latin-1")
