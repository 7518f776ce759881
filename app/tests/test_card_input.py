"""What a card may say about the model's input."""

from typing import Any

import pytest

from app.card_input import Input, parse_input
from app.fields import Fields

DIGIT: dict[str, Any] = {"name": "x", "shape": [None, 64], "type": "float32", "width": 8, "height": 8}
PHOTO: dict[str, Any] = DIGIT | {"shape": [1, 3, 4, 6], "width": 6, "height": 4, "layout": "NCHW", "colour": "RGB"}


def read(content: dict[str, Any]) -> tuple[Input, list[str]]:
    fields = Fields(content, "input")
    return parse_input(fields), fields.faults


def test_a_grey_image_needs_nothing_but_its_size() -> None:
    """All else has a default: grey pixels from 0 to 1, in any shape that holds them."""
    for shape in ([None, 64], [1, 1, 8, 8], [None, 8, 8, 1], [1, 8, 8]):
        told, faults = read(DIGIT | {"shape": shape})
        assert (faults, told.layout, told.colour, told.scale) == ([], "flat", "L", (1 / 255,))


def test_bytes_go_in_as_they_are() -> None:
    """With uint8 there is nothing to compute."""
    told, faults = read(DIGIT | {"type": "uint8"})
    assert (faults, told.scale) == ([], (1.0,))
    assert "as they are" in read(DIGIT | {"type": "uint8", "mean": 3})[1][0]


def test_numbers_are_for_all_channels_or_for_each() -> None:
    """In the order of the card's colours."""
    told, faults = read(PHOTO | {"mean": [1, 2, 3], "std": 4})
    assert (faults, told.mean, told.std) == ([], (1.0, 2.0, 3.0), (4.0, 4.0, 4.0))


@pytest.mark.parametrize(("layout", "shape"), [("NCHW", [1, 3, 4, 6]), ("NHWC", [1, 4, 6, 3]), ("flat", [1, 72])])
def test_the_shape_is_as_the_layout_says(layout: str, shape: list[int]) -> None:
    """Another order of the same sizes is a fault that says which one was expected."""
    assert read(PHOTO | {"layout": layout, "shape": shape})[1] == []
    faults = read(PHOTO | {"layout": layout, "shape": [1, 6, 4, 2]})[1]
    assert len(faults) == 1 and "'shape' is [1, 6, 4, 2]; expected" in faults[0]


def test_a_wrong_order_of_sizes_is_told_with_the_right_one() -> None:
    """Width and height are easily confused."""
    (fault,) = read(PHOTO | {"shape": [1, 3, 6, 4]})[1]
    assert fault == "input: 'shape' is [1, 3, 6, 4]; expected [null, 3, 4, 6] as 6 x 4 RGB is in NCHW"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"layout": "CHW"}, "'layout' is 'CHW'; expected 'flat' or 'NCHW' or 'NHWC'"),
        ({"colour": "CMYK"}, "'colour' is 'CMYK'; expected 'L' or 'RGB' or 'BGR'"),
        ({"mean": [1, 2]}, "'mean' is [1, 2]; expected a number, or a list of 3"),
        ({"std": [1, 0, 1]}, "'std' is 0; expected a number other than 0"),
        ({"scale": "1"}, "'scale' is '1'; expected a number"),
        ({"scale": [1, 1, float("inf")]}, "'scale'"),
        ({"resize": "fit"}, "'resize' is 'fit'; expected 'stretch' or 'crop' or 'pad'"),
        ({"resize": "crop", "resize_to": 5}, "'resize_to' is 5; expected at least 6"),
        ({"resize_to": 9}, "expected it only with resize 'crop', not with 'stretch'"),
        ({"filter": "nearest"}, "'filter'"),
        ({"type": "float16"}, "'type' is 'float16'; expected 'float32' or 'uint8'"),
        ({"shape": [True, 3, 4, 6]}, "null or 1 for one image"),
    ],
)
def test_a_wrong_field_is_told(change: dict[str, Any], told: str) -> None:
    """Each fault says what was found and what was expected."""
    assert told in "\n".join(read(PHOTO | change)[1])


def test_colours_have_no_layout_of_their_own() -> None:
    """Three numbers a pixel can be laid out in several ways, and a guess would be wrong silently."""
    (fault,) = read({key: value for key, value in PHOTO.items() if key != "layout"})[1]
    assert fault == "input: 'layout' is missing; expected 'flat' or 'NCHW' or 'NHWC'"
