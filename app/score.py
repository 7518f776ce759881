"""`POST /score`: from a request's body to labels in percent."""

import time
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

from app.images import ImageError, open_base64
from app.limits import Limits
from app.model import Model

BEST = 3
EXAMPLE = '{"input": "[\\"<base64 image>\\", ...]"}'

Scores = list[list[Any]]


class BadRequestError(Exception):
    """The client asked for what cannot be done; `status` is the HTTP status to say so with."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


def score(body: bytes, model: Model, limits: Limits) -> list[Any]:
    """Return a list of two: each image's best labels in percent, and how long that took."""
    started = time.perf_counter()
    images = read_images(body, limits)
    results = [_score_one(image, place, model) for place, image in enumerate(images, 1)]
    milliseconds = round((time.perf_counter() - started) * 1000, 2)
    return [results, f"Computed in {milliseconds} ms"]


def read_images(body: bytes, limits: Limits) -> list[Image.Image]:
    """Return the request's images, not decoded yet; raises BadRequestError where they break the rules."""
    texts = _read_list(body)
    if not 1 <= len(texts) <= limits.images:
        status = 413 if texts else 400
        raise BadRequestError(f"found {len(texts)} images; expected 1 to {limits.images} in one request", status)
    images = [_open(text, place) for place, text in enumerate(texts, 1)]
    pixels = sum(image.width * image.height for image in images)
    if pixels > limits.pixels:
        advice = "send smaller images or fewer at once"
        raise BadRequestError(f"found {pixels} pixels; expected at most {limits.pixels} in one request: {advice}", 413)
    return images


def best_labels(probabilities: NDArray[np.float64], labels: tuple[str, ...]) -> Scores:
    """Return the likeliest labels with their percentages, best first."""
    order = np.argsort(-probabilities, kind="stable")[:BEST]
    return [[labels[index], round(float(probabilities[index]) * 100, 2)] for index in order]


def _read_list(body: bytes) -> list[object]:
    content = _parse(body, "the body")
    if not isinstance(content, dict) or "input" not in content:
        raise BadRequestError(f'found no "input" in the body; expected {EXAMPLE}')
    images = content["input"]
    # The list comes as a text inside the JSON: that is the API's old form. A plain list is as good.
    if isinstance(images, str):
        images = _parse(images.encode(), '"input"')
    if not isinstance(images, list):
        raise BadRequestError(f'"input" holds a JSON {type(images).__name__}, not a list; expected {EXAMPLE}')
    return images


def _parse(content: bytes, what: str) -> object:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"{what} is not JSON ({error}); expected {EXAMPLE}") from error


def _open(text: object, place: int) -> Image.Image:
    try:
        return open_base64(text)
    except ImageError as error:
        raise BadRequestError(f"image {place} {error}") from error


def _score_one(image: Image.Image, place: int, model: Model) -> Scores:
    try:
        return best_labels(model.probabilities(image), model.card.labels)
    except ImageError as error:
        raise BadRequestError(f"image {place} {error}") from error
