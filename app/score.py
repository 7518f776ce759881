"""`POST /score`: base64 images in JSON to labels in percent, in the form of the classic sample."""

import time

import orjson

from app.exchange import Answer, Call
from app.images import open_base64
from app.json_body import read_json
from app.predictor import Predictor, Watcher
from app.problems import Problem

BEST = 3
EXAMPLE = '{"input": "[\\"<base64 image>\\", ...]"}'


class Score:
    """The handler."""

    def __init__(self, predictor: Predictor, watcher: Watcher | None = None) -> None:
        self._predictor = predictor
        self._watcher = watcher

    def __call__(self, call: Call) -> Answer:
        """Answer with a list of two: each image's best labels in percent, and how long that took."""
        began = time.perf_counter()
        if call.content_type != "application/json":
            found = call.content_type or "no content type"
            raise Problem(415, f"found {found}; expected Content-Type: application/json")
        texts = _read_list(call.body)
        images = self._predictor.open(texts, open_base64)
        ranked = self._predictor.rank(images, BEST)
        results = [[[best.label, round(best.probability * 100, 2)] for best in row] for row in ranked]
        if self._watcher:
            for text, row in zip(texts, ranked, strict=True):
                self._watcher(str(text), [best.label for best in row])
        milliseconds = round((time.perf_counter() - began) * 1000, 2)
        return Answer(orjson.dumps({"result": [results, f"Computed in {milliseconds} ms"]}))


def _read_list(body: bytes) -> list[object]:
    content = _parse(body, "the body")
    if not isinstance(content, dict) or "input" not in content:
        raise Problem(400, f'found no "input" in the body; expected {EXAMPLE}')
    images = content["input"]
    # The list comes as a text inside the JSON: that is the API's old form. A plain list is as good.
    if isinstance(images, str):
        images = _parse(images.encode(), '"input"')
    if not isinstance(images, list):
        raise Problem(400, f'"input" holds a JSON {type(images).__name__}, not a list; expected {EXAMPLE}')
    return images


def _parse(content: bytes, what: str) -> object:
    try:
        return read_json(content)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"{what} is not JSON ({error}); expected {EXAMPLE}") from error
