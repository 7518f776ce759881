"""Whether a tensor is as large as it says, and where its content lies.

External content: https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
"""

import os
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path

import onnx

from nocturne.domain.model import safe_path

_Type = onnx.TensorProto
_MAX_BYTES = 2**50
_MAX_SPARSE_BYTES = 2 * 1024**3  # a runtime makes it dense
_SMALL = {"UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "UINT2": 2, "INT2": 2, "FLOAT6E2M3": 6, "FLOAT6E3M2": 6}
_LARGE = {"COMPLEX128": 128, "DOUBLE": 64, "INT64": 64, "UINT64": 64, "COMPLEX64": 64, "FLOAT": 32, "INT32": 32, "UINT32": 32}
_MIDDLE = {"FLOAT16": 16, "BFLOAT16": 16, "INT16": 16, "UINT16": 16}
_BITS = {number: (_SMALL | _MIDDLE | _LARGE).get(name, 8) for name, number in _Type.DataType.items() if name != "UNDEFINED"}


def tensor_faults(tensor: onnx.TensorProto, folder: Path) -> Iterator[str]:
    """What is wrong with a dense tensor. folder: of the model, with a file of the right size for each of its files."""
    name = f"tensor {tensor.name!r}"
    if tensor.data_type not in _BITS:
        yield f"{name} is of type {tensor.data_type}, which this version of ONNX does not know"
        return
    size = _size(tensor.dims, tensor.data_type)
    if size is None:
        yield f"{name} says that its shape is {list(tensor.dims)[:8]}, which is no size that there can be"
    elif tensor.data_location == _Type.EXTERNAL:
        yield from (f"{name}: {fault}" for fault in _external_faults(tensor, folder, size))


def sparse_fault(tensor: onnx.SparseTensorProto) -> str:
    """A few values may stand for a tensor that no memory holds."""
    size = _size(tensor.dims, tensor.values.data_type)
    if size is None or size > _MAX_SPARSE_BYTES:
        shape = list(tensor.dims)[:8]
        return f"sparse tensor {tensor.values.name!r} has the shape {shape}: more than {_MAX_SPARSE_BYTES:,} bytes when it is dense"
    return ""


def _size(dims: Iterable[int], data_type: int) -> int | None:
    """Bytes, None where a dimension is negative or the product is beyond anything."""
    shape = tuple(dims)
    if len(shape) > 64 or any(dimension < 0 for dimension in shape):
        return None
    found = (prod(shape) * _BITS.get(data_type, 8) + 7) // 8
    return found if found <= _MAX_BYTES else None


def _external_faults(tensor: onnx.TensorProto, folder: Path, size: int) -> Iterator[str]:
    told = {entry.key: entry.value for entry in tensor.external_data}
    location = told.get("location", "")
    if tensor.data_type == _Type.STRING:
        yield "texts cannot lie in another file"
    if len(told) != len(tensor.external_data):
        yield "it says more than once where its content lies"
    elif not safe_path(location):
        yield f"its content is at {location!r}, expected a file in the model's own folder"
    elif not (folder / location).is_file():
        yield f"its content is at {location!r}, but the model has no such file"
    else:
        yield from _range_faults(told, location, os.path.getsize(folder / location), size)


def _range_faults(told: dict[str, str], location: str, file_size: int, size: int) -> Iterator[str]:
    try:
        offset, length = (int(told.get(key) or default) for key, default in (("offset", 0), ("length", size)))
    except ValueError:
        yield f"offset {told.get('offset')!r} and length {told.get('length')!r} must be whole numbers"
        return
    if length != size:
        yield f"{length:,} bytes of {location!r} are its content, but its shape and type need {size:,}"
    if offset < 0 or length < 0 or offset + length > file_size:
        yield f"its content is at bytes {offset:,} to {offset + length:,} of {location!r}, which has {file_size:,}"
