"""A model in memory: an ONNX Runtime session and the card that says how to use it."""

import ctypes
import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from app.card import Card, CardError, read_card
from app.images import open_image
from app.preparation import Preparation
from app.promises import answer_faults, interface_faults, number_faults

FATAL = 4
SIDE = 32
BLACK = {1: "a black image", 2: "two black images at once, though its card's shape begins with null; write 1 there"}

AT_ONCE = 2**21
"""The most numbers that go into one run (13 colour images of 224 x 224): computing needs a multiple in memory."""


class ModelError(Exception):
    """The model cannot serve; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class Model:
    """A model that keeps what its card promises. batches: whether it takes several images at once."""

    def __init__(self, card: Card, session: onnxruntime.InferenceSession) -> None:
        self.card = card
        self.session = session
        self.input_dtype = np.dtype(card.input.type)
        # Empty where the runtime cannot tell it.
        shape = session.get_inputs()[0].shape
        self.batches = card.input.shape[0] is None and not isinstance(shape[0] if shape else None, int)
        numbers = card.input.width * card.input.height * card.input.channels
        self._at_once = max(1, AT_ONCE // numbers) if self.batches else 1
        self._prepare = Preparation(card.input)
        self._outputs = [card.output.name]
        self._logits = card.output.kind == "logits"
        self._answer_shape = (-1, len(card.labels))

    def probabilities(self, images: Sequence[Image.Image]) -> NDArray[np.float64]:
        """Return one row for each image, one probability per label; raises ImageError where one is damaged."""
        return self.rate(self.run(self.tensor(images)))

    def tensor(self, images: Sequence[Image.Image]) -> NDArray[Any]:
        """Return the images as the model's input; raises ImageError where one is damaged."""
        return self._prepare(images)

    def run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the model's own output; what the runtime raises for inputs that the card rules out has no base class.

        A tensor with more images than the model takes at once goes in by parts.
        """
        if len(tensor) <= self._at_once:
            return self._run(tensor)
        starts = range(0, len(tensor), self._at_once)
        return np.concatenate([self._run(tensor[start : start + self._at_once]) for start in starts])

    def rate(self, output: NDArray[Any]) -> NDArray[np.float64]:
        """Return the model's own output as one row for each image, one probability per label."""
        # Sizes of 1 may stand around the labels: [n, labels, 1, 1] is what convolutions leave.
        answer = output.astype(np.float64).reshape(self._answer_shape)
        return _softmax(answer) if self._logits else answer

    def warm_up(self) -> None:
        """Answer, so that the first client need not wait, and check that the answers are some."""
        for images in (1, 2) if self.batches else (1,):
            try:
                output = self.run(self.tensor([_black() for _ in range(images)]))
                faults = number_faults(output.size, self.card, images) or answer_faults(self.rate(output), self.card)
            except Exception as error:
                # The runtime's errors share no base class of their own.
                faults = [f"{self.card.file} fails on {BLACK[images]}: {error}"]
            if faults:
                raise ModelError(faults)

    def _run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        output: NDArray[Any] = self.session.run(self._outputs, {self.card.input.name: tensor})[0]
        return output


def load_model(folder: Path, intra_op_threads: int = 1) -> Model:
    """Return the warmed-up model in `folder`, or raise ModelError with every fault found."""
    try:
        card = read_card(folder)
    except CardError as error:
        raise ModelError(error.faults) from error
    session = _open_session(folder / card.file, intra_op_threads)
    faults = interface_faults(session, card)
    if faults:
        raise ModelError(faults)
    model = Model(card, session)
    model.warm_up()
    _give_memory_back()
    return model


def _open_session(file: Path, intra_op_threads: int) -> onnxruntime.InferenceSession:
    if not file.is_file():
        raise ModelError([f"looked for the model at {file.absolute()}, as its card says: no such file"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # The runtime's errors share no base class of their own.
        raise ModelError([f"{file.name} does not load as an ONNX model: {error}"]) from error


def _give_memory_back() -> None:
    """Return to the system what loading has left over, about as much as a large model's file, where the C library can.

    Source: https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _black() -> Image.Image:
    """Return a black image, by way of a PNG file so that the decoder is warm too."""
    content = io.BytesIO()
    Image.new("L", (SIDE, SIDE)).save(content, "PNG")
    return open_image(content.getvalue())


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
