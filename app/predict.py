"""`POST /v1/predict`: image files as they are, one or many, to ranked labels."""

import io
import time
from collections.abc import Sequence

import orjson
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from app.exchange import Answer, Call
from app.predictor import Predictor, Watcher
from app.problems import Problem

BEST = 3
MULTIPART = "multipart/form-data"


class Predict:
    """The handler. version: of the model, None outside a release."""

    def __init__(self, predictor: Predictor, version: str | None, watcher: Watcher | None = None) -> None:
        self._predictor = predictor
        self._watcher = watcher
        self._labels = len(predictor.model.card.labels)
        self._model = orjson.Fragment(orjson.dumps({"name": predictor.model.card.name, "version": version}))

    def __call__(self, call: Call) -> Answer:
        """Answer with one prediction for each image, in their order."""
        began = time.perf_counter()
        top = self._top(call.query("top"))
        files = self._files(call)
        ranked = self._predictor.rank(self._predictor.open_bytes(files), top)
        if self._watcher:
            # As many labels as a score tells: the next release is asked for those.
            for file, row in zip(files, ranked, strict=True):
                self._watcher(file, [best.label for best in row[:BEST]])
        content = {
            "model": self._model,
            "predictions": [
                {"labels": [{"label": label, "probability": round(probability, 6)} for label, probability in row]}
                for row in ranked
            ],
            "milliseconds": round((time.perf_counter() - began) * 1000, 2),
        }
        return Answer(orjson.dumps(content))

    def _top(self, told: str | None) -> int:
        if told is None:
            return BEST
        if not (told.isascii() and told.isdigit() and len(told) < 10 and 1 <= int(told) <= self._labels):
            raise Problem(400, f"found top={told[:20]!r}; expected a whole number from 1 to {self._labels}")
        return int(told)

    def _files(self, call: Call) -> Sequence[bytes]:
        kind = call.content_type
        if kind == MULTIPART:
            return self._parts(call)
        if kind.startswith("image/") or kind in ("application/octet-stream", ""):
            return [call.body] if call.body else []
        found = f"found Content-Type: {kind}"
        raise Problem(415, f"{found}; expected the bytes of an image as image/*, or files as {MULTIPART}")

    def _parts(self, call: Call) -> Sequence[bytes]:
        most = self._predictor.limits.images
        kept = _Kept()
        parser = FormDataParser(kept, max_form_parts=most + 8, silent=False)
        kind, options = parse_options_header(call.environ.get("CONTENT_TYPE"))
        try:
            parser.parse(io.BytesIO(call.body), kind, len(call.body), options)
        except HTTPException as error:
            raise Problem(
                413, f"found more than {most} parts; expected at most {most} images in one request"
            ) from error
        except ValueError as error:
            raise Problem(400, f"found a body that is no {MULTIPART} ({error}); send it again") from error
        return [file.getvalue() for file in kept.files]


class _Kept:
    """Where the parser writes a form's files: here they stay in their order, of which its own result loses a part.

    They stay in memory, because the app may have no folder to write to; the body's own limit bounds them.
    """

    def __init__(self) -> None:
        self.files: list[io.BytesIO] = []

    def __call__(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> io.BytesIO:
        self.files.append(io.BytesIO())
        return self.files[-1]
