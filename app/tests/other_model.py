"""Two models that are nothing like the demo, each with its folder and with its answers computed without the app."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIDE = 224
RESIZED = 256
MEAN = (103.939, 116.779, 123.68)
STD = (57.1, 57.4, 58.4)
SYNSETS = ("n01440764 tench, Tinca tinca", "n01443537 goldfish, Carassius auratus", "n02127052 lynx, catamount")
TILE = 32

Floats = NDArray[np.floating[Any]]


def write_convolutions(folder: Path) -> Path:
    """Write a convolution net as the classic samples serve it: 3 x 224 x 224, BGR, logits, labels in `synset.txt`."""
    tensors = {"kernel": _kernel(), "weights": _weights()}
    nodes = [
        helper.make_node("Conv", ["data", "kernel"], ["features"], kernel_shape=[TILE, TILE], strides=[TILE, TILE]),
        helper.make_node("Relu", ["features"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["pooled"]),
        # A convolution of 1 x 1 in place of a dense layer leaves two sizes of 1 behind the labels.
        helper.make_node("Conv", ["pooled", "weights"], ["logits"], kernel_shape=[1, 1]),
    ]
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(SYNSETS), 1, 1])]
    card = {
        "schema": 1,
        "name": "fishes-and-cats",
        "model": "resnet.onnx",
        "input": {
            "name": "data",
            "shape": [None, 3, SIDE, SIDE],
            "type": "float32",
            "width": SIDE,
            "height": SIDE,
            "layout": "NCHW",
            "colour": "BGR",
            "scale": 1,
            "mean": list(MEAN),
            "std": list(STD),
            "resize": "crop",
            "resize_to": RESIZED,
            "filter": "bilinear",
        },
        "output": {"name": "logits", "kind": "logits"},
        "labels": "synset.txt",
    }
    (folder / "synset.txt").write_text("\n".join(SYNSETS) + "\n")
    return _write(folder, card, nodes, inputs, outputs, tensors)


def convolutions_by_hand(image: Image.Image) -> Floats:
    """Return what the convolution net answers to an RGB image, by numpy alone but for the resizing."""
    width, height = image.size
    size = (RESIZED, RESIZED * height // width) if width < height else (RESIZED * width // height, RESIZED)
    resized = np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.float64)
    top, left = (round((length - SIDE) / 2) for length in resized.shape[:2])
    bgr = resized[top : top + SIDE, left : left + SIDE, ::-1]
    data = ((bgr - MEAN) / STD).transpose(2, 0, 1)
    tiles = data.reshape(3, SIDE // TILE, TILE, SIDE // TILE, TILE)
    features = np.einsum("cyixj,fcij->fyx", tiles, _kernel().astype(np.float64))
    pooled = np.maximum(features, 0).mean(axis=(1, 2))
    logits = _weights()[:, :, 0, 0] @ pooled
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def write_shades(folder: Path) -> Path:
    """Write a net that takes bytes, rows of RGB pixels, one image at a time, and answers how much there is of each."""
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Add", ["means", "least"], ["some"]),
        helper.make_node("ReduceSum", ["some", "axis"], ["sum"], keepdims=1),
        helper.make_node("Div", ["some", "sum"], ["shares"]),
    ]
    # A black image has nothing of any colour, and yet needs an answer that adds up to 1.
    tensors = {"least": np.full(3, 1e-3, np.float32), "axis": np.array([1], np.int64)}
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 4, 6, 3])]
    outputs = [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [1, 3])]
    card = {
        "schema": 1,
        "name": "shades",
        "model": "shades.onnx",
        "input": {
            "name": "image",
            "shape": [1, 4, 6, 3],
            "type": "uint8",
            "width": 6,
            "height": 4,
            "layout": "NHWC",
            "colour": "RGB",
        },
        "output": {"name": "shares", "kind": "probabilities"},
        "labels": ["red", "green", "blue"],
        "metrics": {},
    }
    return _write(folder, card, nodes, inputs, outputs, tensors)


def _kernel() -> NDArray[np.float32]:
    """Return eight 3 x 32 x 32 filters."""
    return np.random.default_rng(7).normal(0, 0.02, (8, 3, TILE, TILE)).astype(np.float32)


def _weights() -> NDArray[np.float32]:
    """Return the last layer's weights, as a 1 x 1 convolution."""
    return np.random.default_rng(8).normal(0, 1, (len(SYNSETS), 8, 1, 1)).astype(np.float32)


def _write(
    folder: Path, card: dict[str, Any], nodes: list[Any], inputs: list[Any], outputs: list[Any], tensors: Any
) -> Path:
    weights = [numpy_helper.from_array(values, name) for name, values in tensors.items()]
    graph = helper.make_graph(nodes, "other", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / card["model"]).write_bytes(model.SerializeToString())
    (folder / "model.json").write_text(json.dumps(card))
    return folder
