"""Tensors of the Open Inference Protocol, from bytes and back."""

import math

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.tensors import Tensor, flatten, numbers_in_bytes, pack, unpack
from app.problems import Problem


@given(st.lists(st.text(max_size=20), max_size=9))
def test_texts_come_back_from_their_bytes(texts: list[str]) -> None:
    """What is packed is unpacked as it was, empty texts too."""
    assert [element.decode() for element in unpack(memoryview(pack(texts)), len(texts), "it")] == texts


@given(st.binary(max_size=60), st.integers(0, 9))
def test_any_bytes_are_elements_or_a_problem(content: bytes, count: int) -> None:
    """No length is believed: what is unpacked adds up to what was sent."""
    try:
        elements = unpack(memoryview(content), count, "it")
    except Problem:
        return
    assert len(elements) == count and sum(4 + len(element) for element in elements) == len(content)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_numbers_come_back_from_their_bytes(values: list[float]) -> None:
    """Numbers are the same after they travelled as bytes."""
    told, content = Tensor("it", [len(values)], np.array(values, np.float32)).in_bytes()
    assert told["parameters"] == {"binary_data_size": 4 * len(values)}
    read = numbers_in_bytes(memoryview(content), [len(values)], "FP32", "it")
    assert read.tolist() == values and read.flags.writeable and read.flags.aligned


def test_what_is_no_number_is_null_in_json() -> None:
    """JSON has no word for it."""
    content = np.array([math.nan, math.inf, -math.inf, 0.5], np.float32)
    assert orjson.loads(orjson.dumps(Tensor("it", [4], content).in_json()))["data"] == [None, None, None, 0.5]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_nested_lists_are_read_row_by_row(shape: list[int]) -> None:
    """Nested as the shape says, or not nested at all."""
    numbers = np.arange(math.prod(shape)).reshape(shape)
    flat = numbers.reshape(-1).tolist()
    assert flatten(numbers.tolist(), shape, "it") == flat == flatten(flat, shape, "it")


@pytest.mark.parametrize("data", [[], [[]], [[], []], [[1, 2], [3]], [[1], [2]], [[[1, 2]]], [1]])
def test_other_nesting_is_a_problem(data: list[object]) -> None:
    """A transposed tensor is not taken for another."""
    with pytest.raises(Problem, match="it has"):
        flatten(data, [1, 2], "it")
