"""Learns a small neural network from images and turns it into ONNX."""

import warnings

import numpy as np
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from app.training.data import Digits
from app.training.variants import vary

INPUT = "pixels"
OUTPUT = "probabilities"
SCALE = 1 / 255
OPSET = 17
COPIES = 4
EPOCHS = 40


def learn(train: Digits, seed: int) -> MLPClassifier:
    """Return a network trained on `train` and varied copies; the same seed gives the same weights, to the last bit."""
    random = np.random.default_rng(seed)
    pixels = np.concatenate([train.pixels, *(vary(train.pixels, random) for _ in range(COPIES))])
    labels = np.tile(train.labels, COPIES + 1)
    network = MLPClassifier(
        (256,), alpha=0.1, batch_size=500, learning_rate_init=3e-3, max_iter=EPOCHS, random_state=seed
    )
    # One thread: with more, the order of additions, and so the last bits of the sums, would change from run to run.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(as_input(pixels), labels)


def accuracy(network: MLPClassifier, held_out: Digits) -> float:
    """Return the share of held-out images that the network reads right."""
    return float(network.score(as_input(held_out.pixels), held_out.labels))


def as_onnx(network: MLPClassifier) -> bytes:
    """Return the network as ONNX: one float tensor in, one tensor of probabilities out, the same bytes every time."""
    types = [(INPUT, FloatTensorType([None, network.n_features_in_]))]
    # A name of our own: by default it would be a new random one each time.
    converted = to_onnx(network, initial_types=types, name="digits", target_opset=OPSET, options={"zipmap": False})
    model = select_model_inputs_outputs(converted, OUTPUT)
    return bytes(model.SerializeToString(deterministic=True))


def as_input(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images as the network's input; the card tells the app to do the same."""
    return pixels.reshape(len(pixels), -1).astype(np.float32) * np.float32(SCALE)
