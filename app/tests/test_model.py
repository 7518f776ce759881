"""Models that keep and that break the promises of their cards."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from running import ROOT

from app.model import ModelError, load_model

Change = Callable[[dict[str, Any]], None]


def network(width: int = 64, labels: int = 10, operator: str = "Softmax", kind: int = TensorProto.FLOAT) -> bytes:
    """Return a small model as ONNX: pixels times weights of 1, then `operator`."""
    weights = numpy_helper.from_array(np.ones((width, labels), helper.tensor_dtype_to_np_dtype(kind)), "weights")
    nodes = [helper.make_node("MatMul", ["pixels", "weights"], ["sums"])]
    nodes.append(helper.make_node(operator, ["sums"], ["probabilities"]))
    inputs = [helper.make_tensor_value_info("pixels", kind, [None, width])]
    outputs = [helper.make_tensor_value_info("probabilities", kind, [None, labels])]
    graph = helper.make_graph(nodes, "test", inputs, outputs, [weights])
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def write(folder: Path, content: bytes, card: dict[str, Any]) -> Path:
    (folder / "model.onnx").write_bytes(content)
    (folder / "model.json").write_text(json.dumps(card))
    return folder


def faults(folder: Path) -> list[str]:
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    return caught.value.faults


def test_a_good_model_answers_probabilities(model_dir: Path) -> None:
    """The trained model loads and answers one probability per label."""
    answer = load_model(model_dir).probabilities([Image.new("L", (20, 20), 255)])
    assert answer.shape == (1, 10) and abs(answer.sum() - 1) < 1e-3


def test_logits_become_probabilities(tmp_path: Path, card_json: dict[str, Any]) -> None:
    """A card may say that the model answers logits."""
    card_json["output"]["kind"] = "logits"
    answer = load_model(write(tmp_path, network(operator="Identity"), card_json)).probabilities(
        [Image.new("L", (8, 8))]
    )
    assert answer == pytest.approx(np.full((1, 10), 0.1))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no model", "does not load"),
        (network(width=63), "shape"),
        (network(kind=TensorProto.DOUBLE), "tensor(double)"),
        (network(labels=9), "9 numbers"),
        (network(operator="Identity"), "add up to 0"),
        (network(operator="Reciprocal"), "not finite"),
    ],
)
def test_a_broken_promise_is_told(tmp_path: Path, card_json: dict[str, Any], content: bytes, told: str) -> None:
    """A model that is not as its card says does not serve."""
    assert told in "\n".join(faults(write(tmp_path, content, card_json)))


def test_names_must_be_as_the_card_says(tmp_path: Path, card_json: dict[str, Any]) -> None:
    """Faults of input and output are told together."""
    card_json["input"]["name"], card_json["output"]["name"] = "x", "y"
    told = faults(write(tmp_path, network(), card_json))
    assert len(told) == 2 and "'x'" in told[0] and "'y'" in told[1]


def test_a_missing_model_file_is_told_with_its_place(tmp_path: Path, card_json: dict[str, Any]) -> None:
    """A card without its model says where the model was looked for."""
    write(tmp_path, b"", card_json)
    (tmp_path / "model.onnx").unlink()
    assert str(tmp_path / "model.onnx") in faults(tmp_path)[0]


def test_a_model_with_extra_outputs_serves(tmp_path: Path, card_json: dict[str, Any]) -> None:
    """Only the output that the card names counts."""
    model = onnx.load_from_string(network())
    model.graph.output.append(helper.make_tensor_value_info("sums", TensorProto.FLOAT, [None, 10]))
    load_model(write(tmp_path, model.SerializeToString(), card_json))


def test_too_few_numbers_are_told_though_the_shape_is_open(tmp_path: Path, card_json: dict[str, Any]) -> None:
    """A model that does not say how many numbers it answers is asked."""
    model = onnx.load_from_string(network(labels=9))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "some"
    told = faults(write(tmp_path, model.SerializeToString(), card_json))
    assert told == ["the model answers 9 numbers; expected one for each of the 10 labels"]


@pytest.mark.parametrize(("labels", "told"), [(10, []), (9, ["9 numbers"])])
def test_a_model_whose_shapes_nobody_knows_is_asked(
    tmp_path: Path, card_json: dict[str, Any], labels: int, told: list[str]
) -> None:
    """Exporters may leave out the shapes of inputs and outputs, and the runtime cannot always find them."""
    model = onnx.load_from_string(network(labels=labels))
    # What is as large as it turns out to be, is of any shape for the runtime.
    nodes = [
        helper.make_node(name, [was], [becomes])
        for name, was, becomes in (
            ("Shape", "all", "sizes"),
            ("NonZero", "sizes", "places"),
            ("Flatten", "places", "flat"),
        )
    ]
    model.graph.node[-1].output[0] = "all"
    nodes.append(helper.make_node("Squeeze", ["flat"], ["order"]))
    nodes.append(helper.make_node("Gather", ["sizes", "order"], ["wanted"]))
    nodes.append(helper.make_node("Reshape", ["all", "wanted"], ["probabilities"]))
    model.graph.node.extend(nodes)
    for tensor in (model.graph.input[0], model.graph.output[0]):
        tensor.type.tensor_type.ClearField("shape")
    folder = write(tmp_path, model.SerializeToString(), card_json)
    if not told:
        answer = load_model(folder).probabilities([Image.new("L", (8, 8)), Image.new("L", (8, 8))])
        assert answer.shape == (2, 10)
    else:
        assert told[0] in faults(folder)[0]


def test_what_a_model_answers_to_a_tensor_is_its_own(model_dir: Path) -> None:
    """A client may send the model's input itself, of any number of images, and get its output as it is."""
    model = load_model(model_dir)
    images = [Image.new("L", (8, 8), grey) for grey in (0, 99, 255)]
    tensor = model.tensor(images)
    assert (tensor.shape, tensor.dtype) == ((3, 64), model.input_dtype)
    assert np.array_equal(model.rate(model.run(tensor)), model.probabilities(images))


def test_nothing_is_reported_to_others(model_dir: Path, tmp_path: Path) -> None:
    """The runtime's telemetry is off: it would leave a device's identity behind in the home folder."""
    code = f"from pathlib import Path; from app.model import load_model; load_model(Path({str(model_dir)!r}))"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
