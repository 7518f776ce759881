"""The tensors of the Open Inference Protocol: from JSON or bytes to numbers and texts, and back.

Bytes are little-endian, row by row, without gaps:
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.inference.names import BYTES, FLOAT
from app.problems import Problem

DATATYPES: dict[str, np.dtype[Any]] = {FLOAT: np.dtype("<f4"), "UINT8": np.dtype("u1")}
LENGTH = struct.Struct("<I")
"""What stands before each element of a BYTES tensor: how many bytes it has."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor to answer with. content: its numbers (FP32), or its texts (BYTES), row by row."""

    name: str
    shape: Sequence[int]
    content: NDArray[np.float32] | list[str]

    @property
    def datatype(self) -> str:
        """Its name in the protocol."""
        return BYTES if isinstance(self.content, list) else FLOAT

    def in_json(self) -> dict[str, Any]:
        """Return the JSON object that holds it; a number that is not finite becomes null."""
        data = self.content if isinstance(self.content, list) else self.content.reshape(-1).tolist()
        return {"name": self.name, "shape": self.shape, "datatype": self.datatype, "data": data}

    def in_bytes(self) -> tuple[dict[str, Any], bytes]:
        """Return the JSON object that tells of it, and its bytes."""
        content = pack(self.content) if isinstance(self.content, list) else self.content.astype("<f4").tobytes()
        told = {"binary_data_size": len(content)}
        return {"name": self.name, "shape": self.shape, "datatype": self.datatype, "parameters": told}, content


def numbers_in_bytes(content: memoryview, shape: Sequence[int], datatype: str, where: str) -> NDArray[Any]:
    """Return the numbers, in memory of their own; raises Problem (400)."""
    kind = DATATYPES[datatype]
    expected = prod(shape) * kind.itemsize
    if len(content) != expected:
        raise _wrong(where, f"{len(content)} bytes", f"{expected}, as {datatype} and its shape {list(shape)} say")
    return _finite(np.frombuffer(content, kind).reshape(shape).astype(kind.newbyteorder("=")), where)


def numbers_in_json(data: list[Any], shape: Sequence[int], datatype: str, where: str) -> NDArray[Any]:
    """Return the numbers of a flat list, or of lists nested as the shape says; raises Problem (400)."""
    flat = flatten(data, shape, where)
    # JSON's true is no number, and NumPy would take texts for numbers.
    if odd := set(map(type, flat)) - {int, float}:
        raise _wrong(where, f"a JSON {odd.pop().__name__} in its data", "numbers only")
    if datatype == "UINT8":
        if not all(type(value) is int and 0 <= value <= 255 for value in flat):
            raise _wrong(where, "other numbers in its data", "whole numbers from 0 to 255, which are UINT8")
        return np.array(flat, np.uint8).reshape(shape)
    with np.errstate(over="ignore"):
        return _finite(np.array(flat, np.float32).reshape(shape), where)


def flatten(data: list[Any], shape: Sequence[int], where: str) -> list[Any]:
    """Return the elements row by row; raises Problem (400) where their number or nesting is not what the shape says."""
    level, sizes = data, [len(data)]
    while level and type(level[0]) is list and len(sizes) <= len(shape):
        size = len(level[0])
        if not all(type(row) is list and len(row) == size for row in level):
            raise _wrong(where, "lists of different lengths in its data", f"lists of its shape {list(shape)}")
        level = [value for row in level for value in row]
        sizes.append(size)
    if sizes not in ([prod(shape)], list(shape)):
        found = f"{sizes[0]} values" if len(sizes) == 1 else f"lists of the shape {sizes}"
        raise _wrong(where, f"{found} in its data", f"{prod(shape)} in one list, or lists of its shape {list(shape)}")
    return level


def pack(texts: Sequence[str]) -> bytes:
    """Return texts as the bytes of a BYTES tensor (UTF-8)."""
    contents = [text.encode() for text in texts]
    return b"".join(part for content in contents for part in (LENGTH.pack(len(content)), content))


def unpack(content: memoryview, count: int, where: str) -> list[bytes]:
    """Return the `count` elements of a BYTES tensor; raises Problem (400) where they are not as many, or cut."""
    elements: list[bytes] = []
    end = 0
    while end < len(content) and len(elements) < count:
        begin = end + LENGTH.size
        if begin > len(content):
            raise _wrong(where, f"{len(content) - end} bytes after element {len(elements)}", "a length of 4 bytes")
        end = begin + LENGTH.unpack_from(content, end)[0]
        if end > len(content):
            told = f"{end - begin} bytes in element {len(elements) + 1}"
            raise _wrong(where, f"{len(content) - begin} bytes", f"{told}, as the length before it says")
        elements.append(bytes(content[begin:end]))
    if end < len(content) or len(elements) < count:
        found = f"{len(elements)} elements" if end == len(content) else f"more than {count} elements"
        raise _wrong(where, found, f"{count}, as its shape says")
    return elements


def _finite(values: NDArray[Any], where: str) -> NDArray[Any]:
    if not np.isfinite(values).all():
        raise _wrong(where, "numbers that are not finite, or too large for FP32", "finite numbers")
    return values


def _wrong(where: str, found: str, expected: str) -> Problem:
    return Problem(400, f"{where} has {found}; expected {expected}")
