"""Real files, good and hostile, inspected by a real process."""

import os
from pathlib import Path

import pytest
from onnx import ModelProto, SparseTensorProto, TensorProto, helper

from nocturne.adapters.onnx_inspector import OnnxInspector
from nocturne.domain.errors import Broken
from nocturne.ports.model_inspector import InspectionLimits
from tests.integration.model_trust.onnx_models import WEIGHTS, dense, external, function, model

LIMITS = InspectionLimits(seconds=60, memory_bytes=1_000_000_000)


def inspect(folder: Path, content: ModelProto | bytes | None = None, limits: InspectionLimits = LIMITS) -> list[str]:
    if content is not None:
        data = content if isinstance(content, bytes) else content.SerializeToString()
        (folder / "model.onnx").write_bytes(data)
    return OnnxInspector().faults(folder, "model.onnx", limits)


def test_a_good_model(tmp_path: Path) -> None:
    """Nothing is wrong with a plain model."""
    assert inspect(tmp_path, model()) == []


def test_a_good_model_in_a_cache(tmp_path: Path) -> None:
    """Content in another file is found where both are links into a cache; subfolders are fine."""
    (tmp_path / "1").write_bytes(model(external("data/weights.bin", offset=64, length=WEIGHTS)).SerializeToString())
    (tmp_path / "2").write_bytes(bytes(128))
    (tmp_path / "model" / "data").mkdir(parents=True)
    (tmp_path / "model" / "model.onnx").symlink_to(tmp_path / "1")
    (tmp_path / "model" / "data" / "weights.bin").symlink_to(tmp_path / "2")
    assert inspect(tmp_path / "model") == []


def test_operators_of_the_runtime_and_of_the_model(tmp_path: Path) -> None:
    """Operators of ONNX Runtime's own domain, and functions that the model brings along, are no fault."""
    nodes = (
        helper.make_node("FastGelu", ["x"], ["t"], domain="com.microsoft"),
        helper.make_node("twice", ["t"], ["y"], domain="local"),
    )
    good = model(nodes=nodes, functions=(function("twice", "Neg", "Neg"),), com_microsoft=1, local=1)
    assert inspect(tmp_path, good) == []


@pytest.mark.parametrize("tensor", [dense(), external("data/weights.bin", length=WEIGHTS)], ids=["inside", "outside"])
def test_an_output_without_a_type(tmp_path: Path, tensor: TensorProto) -> None:
    """Some exporters leave out the type of an output, which every runtime finds out by itself; the rest is checked all the same."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "weights.bin").write_bytes(bytes(WEIGHTS))
    untyped = model(tensor)
    untyped.graph.output[0].ClearField("type")
    assert inspect(tmp_path, untyped) == []
    untyped.graph.node[0].input[0] = "nobody"
    assert "nobody" in inspect(tmp_path, untyped)[0]


def test_ends_without_a_shape(tmp_path: Path) -> None:
    """An input or output of any rank has no shape, and is none the worse for it."""
    shapeless = model()
    for end in (shapeless.graph.input[0], shapeless.graph.output[0]):
        end.type.tensor_type.ClearField("shape")
    assert inspect(tmp_path, shapeless) == []


def branches(*names: str) -> ModelProto:
    """A model with an operator in each branch of an If."""
    results = [helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 4])]
    graphs = [helper.make_graph([helper.make_node(name, ["x"], ["r"])], name, [], results) for name in names]
    condition = helper.make_node("Constant", [], ["c"], value=TensorProto(data_type=9, int32_data=[1]))
    return model(nodes=(condition, helper.make_node("If", ["c"], ["y"], then_branch=graphs[0], else_branch=graphs[1])))


def sparse() -> ModelProto:
    """A model with one value that stands for a tensor of a tebibyte and more."""
    found = model()
    values, indices = TensorProto(name="s", data_type=1, dims=[1], raw_data=bytes(4)), TensorProto(data_type=7, dims=[1])
    found.graph.sparse_initializer.append(SparseTensorProto(values=values, indices=indices, dims=[2**20, 2**20]))
    return found


def laughs(depth: int) -> ModelProto:
    """Functions that each call the one before twice."""
    functions = [function("f0", "Neg"), *(function(f"f{n}", f"f{n - 1}", f"f{n - 1}") for n in range(1, depth))]
    return model(nodes=(helper.make_node(f"f{depth - 1}", ["x"], ["y"], domain="local"),), functions=tuple(functions), local=1)


def training() -> ModelProto:
    """A model whose graph for training reads another file."""
    found = model()
    found.training_info.add().initialization.initializer.append(external("/etc/passwd"))
    return found


ROOT = (helper.make_node("f", ["x"], ["y"], domain="local"),)
HOSTILE = {
    "another tensor's file": (external("/etc/passwd"), "its content is at '/etc/passwd', expected a file in the model's own"),
    "a file above": (external("../model.onnx"), "expected a file in the model's own folder"),
    "a file that is not there": (external("weights.bin"), "the model has no such file"),
    "a linked folder": (external("etc/passwd"), "the model has no such file"),
    "no location": (external(""), "its content is at ''"),
    "beyond the end": (external("64.bin", offset=32, length=WEIGHTS), "bytes 32 to 96 of '64.bin', which has 64"),
    "before the start": (external("64.bin", offset=-64, length=WEIGHTS), "bytes -64 to 0"),
    "another length": (external("64.bin", length=8), "8 bytes of '64.bin' are its content, but its shape and type need 64"),
    "more than there is": (external("64.bin", dims=(400, 4)), "bytes 0 to 6,400 of '64.bin', which has 64"),
    "a huge shape": (dense(dims=[2**40, 2**40]), "no size that there can be"),
    "a large shape": (dense(dims=[2**20, 2**20]), "onnx.checker: TensorProto"),
    "a negative shape": (dense(dims=[-4, 4]), "no size that there can be"),
    "an unknown type": (dense(data_type=99), "is of type 99"),
}
STRANGE = {
    "a sparse tensor": (sparse(), "more than 2,147,483,648 bytes when it is dense"),
    "a tensor for training": (training(), "'/etc/passwd'"),
    "a newer IR": (model(ir_version=99), "its IR version is 99"),
    "no IR": (ModelProto(), "its IR version is 0"),
    "newer operators": (model(**{"": 999}), "it needs version 999 of the operators of 'ai.onnx'"),
    "an unknown operator": (model(nodes=(helper.make_node("Nope", ["x"], ["y"]),)), "it uses the operator 'Nope' of 'ai.onnx'"),
    "an unknown domain": (model(nodes=(helper.make_node("Neg", ["x"], ["y"], domain="evil"),), evil=1), "'Neg' of 'evil'"),
    "an operator in a branch": (branches("Neg", "Nope"), "it uses the operator 'Nope'"),
    "no output": (ModelProto(ir_version=10, opset_import=[helper.make_opsetid("", 20)]), "it has 0 outputs"),
    "a billion laughs": (laughs(31), "more than 1,000,000 nodes once its functions are written out"),
    "too deep": (laughs(100), "nested more than 64 deep"),
    "a circle": (model(nodes=ROOT, functions=(function("f", "f"),), local=1), "its function 'f' calls itself"),
    "a missing input": (model(nodes=(helper.make_node("Neg", ["z"], ["y"]),)), "onnx.checker: "),
}


@pytest.mark.parametrize(("tensor", "fault"), HOSTILE.values(), ids=HOSTILE.keys())
def test_tensors_that_are_not_what_they_say(tmp_path: Path, tensor: TensorProto, fault: str) -> None:
    """Content elsewhere than in the model's folder, or of another size than the shape needs, is a fault."""
    (tmp_path / "64.bin").write_bytes(bytes(64))
    (tmp_path / "etc").symlink_to("/etc")
    assert fault in " ".join(inspect(tmp_path, model(tensor)))


@pytest.mark.parametrize(("content", "fault"), STRANGE.values(), ids=STRANGE.keys())
def test_models_that_are_none(tmp_path: Path, content: ModelProto, fault: str) -> None:
    """What no runtime should load is a fault, wherever in the model it is."""
    assert fault in " ".join(inspect(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [b"", bytes(100_000_000), os.urandom(5000), model().SerializeToString()[:-9], b"\x08" * 1_000_000],
    ids=["empty", "zeros", "random", "truncated", "numbers"],
)
def test_files_that_are_no_models(tmp_path: Path, content: bytes) -> None:
    """Anything that is no ONNX file is a fault, and nothing worse."""
    assert len(inspect(tmp_path, content)) >= 1


def test_a_memory_bomb(tmp_path: Path) -> None:
    """A small file that would fill the memory is stopped at the limit."""
    bomb = b"\x08\x0a" + _field(7, b"\x0a\x00" * 20_000_000)  # ir_version, and a graph of 20 million empty nodes
    found = inspect(tmp_path, bomb, InspectionLimits(seconds=60, memory_bytes=400_000_000))
    assert found == ["the inspection needed more than 400,000,000 bytes of memory"]


def test_many_faults(tmp_path: Path) -> None:
    """Twenty faults are listed and the others counted, each in one line of at most 300 characters without controls."""
    bad = model()
    for number in range(50):
        bad.graph.initializer.append(dense(name=f"{number}\x1b[31m\n" + "x" * 1000, data_type=99))
    found = inspect(tmp_path, bad)
    assert len(found) == 21
    assert found[-1] == "and 30 more"
    assert all(len(fault) <= 300 and fault.isprintable() for fault in found)


def test_what_is_no_file(tmp_path: Path) -> None:
    """A pipe, a folder and a link to nothing are faults, and nobody waits for them."""
    (tmp_path / "model.onnx").mkdir()
    assert inspect(tmp_path) == ["'model.onnx' is no file"]
    (tmp_path / "model.onnx").rmdir()
    os.mkfifo(tmp_path / "model.onnx")
    assert inspect(tmp_path) == ["'model.onnx' is no file"]
    (tmp_path / "model.onnx").unlink()
    (tmp_path / "model.onnx").symlink_to("nothing")
    assert inspect(tmp_path) == ["'model.onnx' cannot be opened: No such file or directory"]


def test_a_pipe_beside_the_model(tmp_path: Path) -> None:
    """A pipe in place of a tensor's content is a missing file."""
    os.mkfifo(tmp_path / "weights.bin")
    assert "the model has no such file" in inspect(tmp_path, model(external("weights.bin")))[0]


def test_a_path_out_of_the_folder(tmp_path: Path) -> None:
    """The model itself must lie in its folder."""
    assert "no path in the model's folder" in OnnxInspector().faults(tmp_path, "../model.onnx", LIMITS)[0]


def test_too_little_memory_to_begin(tmp_path: Path) -> None:
    """A limit under which nothing can be inspected is no fault of the model."""
    with pytest.raises(Broken, match="did not start"):
        inspect(tmp_path, model(), InspectionLimits(60, 30_000_000))


def _field(number: int, content: bytes) -> bytes:
    """A field with a length: https://protobuf.dev/programming-guides/encoding/#length-types"""
    length, size = b"", len(content)
    while True:
        size, digit = size >> 7, size & 127
        length += bytes([digit | 128 if size else digit])
        if not size:
            return bytes([number << 3 | 2]) + length + content
