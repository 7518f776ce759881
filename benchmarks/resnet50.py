"""A model of ResNet-50's size, work and shape, with random weights: what it says means nothing, what it costs is real.

The topology is that of He et al., Deep Residual Learning for Image Recognition, table 1 (https://arxiv.org/abs/1512.03385), with
the stride in the 3x3 convolutions (v1.5), as exporters write it for inference: batch normalisation is folded into the convolutions.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE, LABELS = 224, 1000
_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Keeps the numbers of a sum of sixteen random blocks in bounds.
_QUIET = 0.25


class _Network:
    """Nodes and weights, as they are added."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def weight(self, values: NDArray[np.float32]) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def random(self, *shape: int, gain: float = 1.0) -> str:
        """Weights of which what comes out is as large as what goes in (He et al., https://arxiv.org/abs/1502.01852)."""
        deviation = gain * np.sqrt(2 / np.prod(shape[1:]))
        return self.weight(self._random.standard_normal(shape, np.float32) * np.float32(deviation))

    def convolution(self, into: str, shape: tuple[int, int], kernel: int, stride: int = 1, gain: float = 1.0) -> str:
        wide, narrow = shape
        bias = self.weight(np.zeros(narrow, np.float32))
        around = [kernel // 2] * 4
        weights = self.random(narrow, wide, kernel, kernel, gain=gain)
        return self.add("Conv", into, weights, bias, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=around)

    def block(self, into: str, wide: int, narrow: int, stride: int) -> str:
        """A bottleneck: 1x1, 3x3, 1x1, and the shortcut beside them."""
        reduced = self.add("Relu", self.convolution(into, (wide, narrow), 1))
        seen = self.add("Relu", self.convolution(reduced, (narrow, narrow), 3, stride))
        expanded = self.convolution(seen, (narrow, 4 * narrow), 1, gain=_QUIET)
        shortcut = into if wide == 4 * narrow else self.convolution(into, (wide, 4 * narrow), 1, stride, 0.7)
        return self.add("Relu", self.add("Add", expanded, shortcut))


def resnet50(seed: int = 0) -> onnx.ModelProto:
    """The model: images (n, 3, 224, 224) to logits (n, 1000); 25.5 million weights, 4.1 billion multiplications an image."""
    network = _Network(seed)
    last = network.add("Relu", network.convolution("image", (3, 64), 7, 2))
    last = network.add("MaxPool", last, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    wide = 64
    for stage, (narrow, blocks) in enumerate(_STAGES):
        for place in range(blocks):
            last = network.block(last, wide, narrow, 2 if stage and not place else 1)
            wide = 4 * narrow
    last = network.add("Flatten", network.add("GlobalAveragePool", last))
    weights, bias = network.random(LABELS, wide, gain=0.7), network.weight(np.zeros(LABELS, np.float32))
    network.nodes.append(helper.make_node("Gemm", [last, weights, bias], ["logits"], transB=1))
    graph = helper.make_graph(
        network.nodes,
        "resnet50",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [None, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [None, LABELS])],
        network.weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def write(folder: Path) -> None:
    """Write the model and its card into a folder."""
    folder.mkdir(parents=True)
    onnx.save(resnet50(), folder / "model.onnx")
    pixels = {"colour": "RGB", "layout": "NCHW", "width": SIDE, "height": SIDE, "scale": 1 / 255, "mean": _MEAN, "std": _STD}
    card = {
        "schema": 1,
        "name": "resnet50",
        "model": "model.onnx",
        "input": {"name": "image", "shape": [None, 3, SIDE, SIDE], "type": "float32", **pixels},
        "output": {"name": "logits", "kind": "logits"},
        "labels": [f"label {number}" for number in range(LABELS)],
        "metrics": {"accuracy": 0, "held_out": 1},
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2))
