"""What is looked at in a model, inside the inspecting process. Nothing else imports this: it reads what strangers wrote."""

import os
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import onnx
import onnx.checker
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from nocturne.adapters.onnx_inspector.operators import operator_faults
from nocturne.adapters.onnx_inspector.parts import sparse_tensors
from nocturne.adapters.onnx_inspector.parts import tensors as all_tensors
from nocturne.adapters.onnx_inspector.tensors import sparse_fault, tensor_faults

_OLDEST_IR = 3  # before it a model does not say which operators it means
_LISTED = 20
_MAX_TENSORS = 1_000_000
_MAX_ENDS = 10_000


def inspect(model: Path) -> list[str]:
    """The faults of one file, 20 at most and how many more. The last look is onnx's own, where ours found nothing."""
    try:
        proto = onnx.load_model(model, format="protobuf", load_external_data=False)
    except DecodeError as error:
        if "alloc" in str(error):  # the arena that it reads into could not grow
            raise MemoryError from error
        return [f"it is no ONNX model: {error}"]
    found = _faults(proto, model.parent)
    listed = list(islice(found, _LISTED))
    if more := sum(1 for _ in islice(found, 100_000)):
        return [*listed, f"and {more:,} more"]
    if listed:
        return listed
    typed = _with_typed_ends(proto)
    del proto, found  # onnx reads the file anew, and a large one may not fit twice
    return _checked(model, typed)


def _faults(proto: onnx.ModelProto, folder: Path) -> Iterator[str]:
    if not _OLDEST_IR <= proto.ir_version <= onnx.IR_VERSION:
        known = f"{_OLDEST_IR} to {onnx.IR_VERSION}"
        yield f"its IR version is {proto.ir_version}, expected {known}: export it with another version of your exporter"
    yield from chain.from_iterable(look(proto) for look in (_end_faults, operator_faults))
    count = 0
    for count, tensor in enumerate(all_tensors(proto), start=1):
        yield from tensor_faults(tensor, folder)
        if count > _MAX_TENSORS:
            yield f"it has more than {_MAX_TENSORS:,} tensors"
            return
    yield from filter(None, map(sparse_fault, sparse_tensors(proto)))


def _end_faults(proto: onnx.ModelProto) -> Iterator[str]:
    given = {item.name for item in proto.graph.initializer}
    inputs = sum(1 for item in proto.graph.input if item.name not in given)
    for what, count in (("input", inputs), ("output", len(proto.graph.output))):
        if not 1 <= count <= _MAX_ENDS:
            yield f"it has {count:,} {what}s, expected 1 to {_MAX_ENDS:,}"


def _with_typed_ends(proto: onnx.ModelProto) -> bytes | None:
    """The model with a type for each output and a shape for each tensor that goes in or out, None where nothing had to be added.

    Good models lack them: skl2onnx leaves out types, and a tensor of any rank has no shape. Every runtime takes them, and only
    onnx's own check does not.
    """
    typeless = [output for output in proto.graph.output if not output.HasField("type")]
    for output in typeless:
        output.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    tensors = [end.type.tensor_type for end in chain(proto.graph.input, proto.graph.output) if end.type.HasField("tensor_type")]
    shapeless = [tensor for tensor in tensors if not tensor.HasField("shape")]
    for tensor in shapeless:
        tensor.shape.SetInParent()
    return bytes(proto.SerializeToString()) if shapeless else None


def _checked(model: Path, typed: bytes | None) -> list[str]:
    os.chdir(model.parent)  # where bytes have their external content
    try:
        onnx.checker.check_model(typed if typed is not None else model)
    except onnx.checker.ValidationError as error:
        return [f"onnx.checker: {error}".replace(f"{model.parent}/", "")]
    return []
