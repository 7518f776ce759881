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
    answer = load_model(model_dir).probabilities(Image.new("L", (20, 20), 255))
    assert answer.shape == (10,) and abs(answer.sum() - 1) < 1e-3


def test_logits_become_probabilities(tmp_path: Path, card_json: dict[str, Any]) -> None:
    """A card may say that the model answers logits."""
    card_json["output"]["kind"] = "logits"
    answer = load_model(write(tmp_path, network(operator="Identity"), card_json)).probabilities(Image.new("L", (8, 8)))
    assert answer == pytest.approx(np.full(10, 0.1))


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


def test_nothing_is_reported_to_others(model_dir: Path, tmp_path: Path) -> None:
    """The runtime's telemetry is off: it would leave a device's identity behind in the home folder."""
    code = f"from pathlib import Path; from app.model import load_model; load_model(Path({str(model_dir)!r}))"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
