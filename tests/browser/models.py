"""Models that are nothing like the demo, as small as can be."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SIDE = 8


def write_model(folder: Path, labels: Sequence[str], draw: bool) -> Path:
    """Write a model of one layer with random weights and these labels; return its folder."""
    folder.mkdir()
    weights = np.random.default_rng(3).normal(0, 1, (SIDE * SIDE, len(labels))).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["pixels", "weights"], ["logits"])],
        "one-layer",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", SIDE * SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(labels)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    image = {"name": "pixels", "shape": [None, SIDE * SIDE], "type": "float32", "width": SIDE, "height": SIDE}
    output = {"name": "logits", "kind": "logits"}
    card = {"schema": 1, "name": "other", "model": "model.onnx", "input": image, "output": output, "labels": labels, "draw": draw}
    (folder / "model.json").write_text(json.dumps(card))
    return folder
