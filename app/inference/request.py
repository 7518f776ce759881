"""A request of the Open Inference Protocol: what it asks for, checked for itself, before any model is thought of."""

from dataclasses import dataclass
from typing import Any

import orjson

from app.inference.json_fields import as_object, flag, parameters_of, short, text, wrong
from app.json_body import read_json
from app.problems import Problem

HEADER_LENGTH = "Inference-Header-Content-Length"
"""The header that tells how long the JSON is where bytes of tensors follow it."""

MOST_DIMENSIONS = 8

MOST_TENSORS = 16
"""In one request, either way: no model here has more, and each costs time before that is known."""


@dataclass(frozen=True, slots=True)
class GivenInput:
    """One input. content: its `data`, or its bytes. content_type: how its elements are encoded."""

    name: str
    datatype: str
    shape: list[int]
    content: list[Any] | memoryview
    content_type: str | None

    @property
    def where(self) -> str:
        """What a problem's text calls it."""
        return f"input {short(self.name)}"


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """One output to answer with. classification: how many of the best classes, instead of all numbers."""

    name: str
    binary: bool
    classification: int | None


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """What a client asks for. outputs: empty where it left that to the model. binary: how they are to be sent then."""

    id: str | None
    inputs: list[GivenInput]
    outputs: list[WantedOutput]
    binary: bool


def read_request(body: bytes, header_length: str | None) -> InferenceRequest:
    """Return the request in a body; header_length: the value of `HEADER_LENGTH`. Raises Problem (400)."""
    header, rest = _split(body, header_length)
    try:
        content = read_json(header)
    except orjson.JSONDecodeError as error:
        advice = f"where bytes of tensors follow the JSON, {HEADER_LENGTH} says how long it is"
        raise Problem(400, f"the body is not JSON ({error}); {advice}") from error
    request = as_object(content, "the body")
    identity = request.get("id")
    if identity is not None and type(identity) is not str:
        raise wrong('"id"', identity, "a text")
    inputs = _inputs(request, rest, header_length is not None)
    binary = flag(parameters_of(request, "the request"), "binary_data_output", False, "the request")
    return InferenceRequest(identity, inputs, _outputs(request, binary), binary)


def _split(body: bytes, header_length: str | None) -> tuple[bytes, memoryview]:
    if header_length is None:
        return body, memoryview(b"")
    # At most ten digits: reading a longer number would cost more than it is worth.
    sane = header_length.isascii() and header_length.isdigit() and len(header_length) <= 10
    if not sane or int(header_length) > len(body):
        found = f"found {HEADER_LENGTH}: {header_length[:20]}"
        raise Problem(400, f"{found}; expected the length of the JSON, at most the body's {len(body)} bytes")
    length = int(header_length)
    return body[:length], memoryview(body)[length:]


def _inputs(request: dict[str, Any], rest: memoryview, binary: bool) -> list[GivenInput]:
    inputs = request.get("inputs")
    if not (type(inputs) is list and 1 <= len(inputs) <= MOST_TENSORS):
        raise wrong('"inputs"', inputs, f"a list of 1 to {MOST_TENSORS} tensors")
    read, begin = [], 0
    for place, content in enumerate(inputs, 1):
        told, size = _input(content, f"input {place}", rest[begin:], binary)
        read.append(told)
        begin += size
    if begin < len(rest):
        found = f"found {len(rest) - begin} bytes after those of all inputs"
        raise Problem(400, f"{found}; expected none: binary_data_size of each input says how many are its own")
    return read


def _input(content: object, where: str, rest: memoryview, binary: bool) -> tuple[GivenInput, int]:
    """Return the input, and how many of the `rest` bytes it took."""
    given = as_object(content, where)
    name, datatype = text(given, "name", where), text(given, "datatype", where)
    parameters = parameters_of(given, where)
    content_type = parameters.get("content_type")
    if content_type is not None and type(content_type) is not str:
        raise wrong(f"content_type of {where}", content_type, "a text")
    size, data = parameters.get("binary_data_size"), given.get("data")
    if size is None:
        if type(data) is not list:
            raise wrong(f'"data" of {where}', data, "a list, or binary_data_size among its parameters")
        return GivenInput(name, datatype, _shape(given, where), data, content_type), 0
    if data is not None:
        raise Problem(400, f"{where} has both data and binary_data_size; expected one of them")
    if not binary:
        raise Problem(400, f"{where} has binary_data_size; expected the header {HEADER_LENGTH} with it")
    if not (type(size) is int and 0 <= size <= len(rest)):
        expected = f"a number of bytes, at most the {len(rest)} that are left of the body"
        raise wrong(f"binary_data_size of {where}", size, expected)
    return GivenInput(name, datatype, _shape(given, where), rest[:size], content_type), size


def _shape(given: dict[str, Any], where: str) -> list[int]:
    shape = given.get("shape")
    sane = type(shape) is list and 1 <= len(shape) <= MOST_DIMENSIONS
    if not (sane and all(type(size) is int and size >= 0 for size in shape or ())):
        raise wrong(f'"shape" of {where}', shape, f"a list of 1 to {MOST_DIMENSIONS} whole numbers")
    return list(shape or ())


def _outputs(request: dict[str, Any], binary: bool) -> list[WantedOutput]:
    outputs = request.get("outputs")
    if outputs is None:
        return []
    if not (type(outputs) is list and len(outputs) <= MOST_TENSORS):
        raise wrong('"outputs"', outputs, f'a list of at most {MOST_TENSORS} names, as [{{"name": ...}}]')
    read = [_output(content, f"output {place}", binary) for place, content in enumerate(outputs, 1)]
    names = {output.name for output in read}
    if len(names) < len(read):
        raise Problem(400, f"found {len(read)} outputs of {len(names)} names; expected each name once")
    return read


def _output(content: object, where: str, binary: bool) -> WantedOutput:
    wanted = as_object(content, where)
    parameters = parameters_of(wanted, where)
    count = parameters.get("classification")
    if count is not None and not (type(count) is int and count > 0):
        raise wrong(f"classification of {where}", count, "a whole number above 0")
    return WantedOutput(text(wanted, "name", where), flag(parameters, "binary_data", binary, where), count)
