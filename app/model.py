"""A model in memory: an ONNX Runtime session and the card that says how to use it."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from app.card import Card, CardError, read_card
from app.images import open_image, to_grey
from app.promises import answer_faults, interface_faults

FATAL = 4
SIDE = 32


class ModelError(Exception):
    """The model cannot serve; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class Model:
    """A model that keeps what its card promises."""

    card: Card
    session: onnxruntime.InferenceSession

    def probabilities(self, image: Image.Image) -> NDArray[np.float64]:
        """Return one probability per label for one image; raises ImageError where it is damaged."""
        grey = to_grey(image, self.card.input.width, self.card.input.height)
        return self._answer(_prepare(grey, self.card))

    def _answer(self, tensor: NDArray[np.float32]) -> NDArray[np.float64]:
        (output,) = self.session.run([self.card.output.name], {self.card.input.name: tensor})
        answer = np.asarray(output, dtype=np.float64).reshape(-1)
        return _softmax(answer) if self.card.output.kind == "logits" else answer

    def warm_up(self) -> None:
        """Answer once, so that the first client need not wait, and check that the answer is one."""
        try:
            faults = answer_faults(self.probabilities(_black()), self.card)
        except Exception as error:
            # The runtime's errors share no base class of their own.
            faults = [f"{self.card.file} fails on a black image: {error}"]
        if faults:
            raise ModelError(faults)


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


def _black() -> Image.Image:
    """Return a black image, by way of a PNG file so that the decoder is warm too."""
    content = io.BytesIO()
    Image.new("L", (SIDE, SIDE)).save(content, "PNG")
    return open_image(content.getvalue())


def _prepare(grey: NDArray[np.uint8], card: Card) -> NDArray[np.float32]:
    told = card.input
    values = (grey.astype(np.float32) * np.float32(told.scale) - np.float32(told.mean)) / np.float32(told.std)
    return values.reshape([size or 1 for size in told.shape])


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())
