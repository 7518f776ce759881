"""The inputs of a request: the model's own tensor, or image files."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from app.card import Card
from app.inference.json_fields import short
from app.inference.names import BASE64, BYTES, IMAGE, TYPES
from app.inference.request import GivenInput
from app.inference.tensors import flatten, numbers_in_bytes, numbers_in_json, unpack
from app.problems import Problem


def only_input(inputs: Sequence[GivenInput], card: Card) -> GivenInput:
    """Return the request's one input; raises Problem (400) where it is none that the model has."""
    expected = f"either {card.input.name!r} ({TYPES[card.input.type]}) or {IMAGE!r} ({BYTES})"
    if len(inputs) > 1:
        raise Problem(400, f"found {len(inputs)} inputs; expected one, {expected}")
    given = inputs[0]
    if given.name != (IMAGE if given.datatype == BYTES else card.input.name):
        raise Problem(400, f"found {given.where} of datatype {short(given.datatype)}; expected {expected}")
    return given


def numbers(given: GivenInput, card: Card, most: int) -> NDArray[Any]:
    """Return the model's own input tensor, for at most so many images; raises Problem (400)."""
    told = card.input
    datatype = TYPES[told.type]
    if given.datatype != datatype:
        raise Problem(400, f"{given.where} has the datatype {short(given.datatype)}; expected {datatype}")
    if given.shape[1:] != list(told.shape[1:]) or not 1 <= given.shape[0] <= most:
        expected = ", ".join(map(str, told.shape[1:]))
        raise Problem(
            400, f"{given.where} has the shape {given.shape}; expected [n, {expected}] with n from 1 to {most}"
        )
    if isinstance(given.content, memoryview):
        return numbers_in_bytes(given.content, given.shape, datatype, given.where)
    return numbers_in_json(given.content, given.shape, datatype, given.where)


def files(given: GivenInput) -> list[bytes]:
    """Return the contents of image files; raises Problem (400)."""
    # A second size of 1 is how MLServer's clients write a batch of texts.
    if given.shape[1:] not in ([], [1]):
        raise Problem(400, f"{given.where} has the shape {given.shape}; expected [n], with n image files")
    if given.content_type not in (None, BASE64):
        raise Problem(
            400, f"{given.where} has the content_type {short(given.content_type)}; expected {BASE64}, or none"
        )
    if not isinstance(given.content, memoryview):
        elements: Sequence[object] = flatten(given.content, given.shape, given.where)
    else:
        contents = unpack(given.content, given.shape[0], given.where)
        if given.content_type is None:
            return contents
        elements = contents
    return [_decode(element, place) for place, element in enumerate(elements, 1)]


def _decode(element: object, place: int) -> bytes:
    if not isinstance(element, (str, bytes)):
        raise Problem(400, f"image {place} is a JSON {type(element).__name__}; expected a text with a base64 image")
    try:
        return b64decode(element, validate=True)
    except (binascii.Error, ValueError) as error:
        advice = "send the file's bytes in base64, or as they are in a binary tensor"
        raise Problem(400, f"image {place} is not base64 ({error}); {advice}") from error
