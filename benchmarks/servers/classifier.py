"""What every peer does with an image's bytes: the same model, the same steps, written once so that only the servers differ.

MODEL_DIR names the folder of the model and its card, as it does for the app.
"""

import io
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

BEST = 3


class Classifier:
    """One model in memory, with one thread for each answer. Opens what is sent, and checks nothing of it."""

    def __init__(self) -> None:
        folder = Path(os.environ["MODEL_DIR"])
        card = json.loads((folder / "model.json").read_text())
        told = card["input"]
        self.name: str = card["name"]
        self._labels: list[str] = card["labels"]
        self._logits = card["output"]["kind"] == "logits"
        self._input, self._output = told["name"], [card["output"]["name"]]
        self._mode, self._size = told["colour"], (told["width"], told["height"])
        self._shape = [size or 1 for size in told["shape"]]
        # (pixel * scale - mean) / std, as one multiplication and one addition.
        std = np.asarray(told.get("std", 1), np.float32)
        self._factor = np.asarray(told["scale"], np.float32) / std
        self._offset = np.asarray(told.get("mean", 0), np.float32) / std
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(folder / card["model"], options, providers=["CPUExecutionProvider"])

    def classify(self, content: bytes | Image.Image) -> list[dict[str, Any]]:
        """The three likeliest labels with their probabilities, best first, of an image file's bytes, or of one just opened."""
        opened = Image.open(io.BytesIO(content)) if isinstance(content, bytes) else content
        image = opened.convert(self._mode).resize(self._size, Image.Resampling.BOX)
        (output,) = self._session.run(self._output, {self._input: self._tensor(image)})
        answer = output[0]
        if self._logits:
            answer = np.exp(answer - answer.max())
            answer /= answer.sum()
        best = np.argsort(-answer)[:BEST]
        return [{"label": self._labels[index], "probability": float(answer[index])} for index in best]

    def answer(self, content: bytes | Image.Image) -> dict[str, Any]:
        """What a server answers, ready to become JSON."""
        return {"predictions": [{"labels": self.classify(content)}]}

    def _tensor(self, image: Image.Image) -> NDArray[np.float32]:
        pixels = np.asarray(image, np.float32) * self._factor - self._offset
        if pixels.ndim == 3:
            pixels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
        return pixels.reshape(self._shape)
