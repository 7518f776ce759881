"""From images to the model's numbers, compared with the formula written out."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from test_card_input import DIGIT, PHOTO, read

from app.preparation import Preparation

RANDOM = np.random.default_rng(3).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def prepared(content: dict[str, Any], *images: Image.Image) -> Any:
    told, faults = read(content)
    assert faults == []
    return Preparation(told)(images)


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize(("layout", "shape"), [("NCHW", [None, 3, 4, 6]), ("NHWC", [None, 4, 6, 3]), ("flat", [1, 72])])
@pytest.mark.parametrize("kind", ["float32", "uint8"])
def test_every_combination_is_the_formula(colour: str, layout: str, shape: list[int | None], kind: str) -> None:
    """Order of colours, layout and numbers by channel do not get into each other's way."""
    told = PHOTO | {"colour": colour, "layout": layout, "shape": shape, "type": kind}
    values = RANDOM[..., ::-1] if colour == "BGR" else RANDOM
    if kind == "float32":
        told |= {"scale": [0.5, 0.25, 2], "mean": [1, 2, 3], "std": [4, 5, 6]}
        values = (values * np.array([0.5, 0.25, 2]) - [1, 2, 3]) / [4, 5, 6]
    expected = values.transpose(2, 0, 1) if layout == "NCHW" else values
    tensor = prepared(told, Image.fromarray(RANDOM), Image.fromarray(RANDOM[::-1, ::-1]))
    assert tensor.shape == (2, *shape[1:]) and tensor.dtype == kind and tensor.flags.c_contiguous
    assert tensor[0].reshape(-1) == pytest.approx(expected.reshape(-1), abs=1e-4)
    assert not np.array_equal(tensor[0], tensor[1])


def test_a_grey_image_becomes_numbers_from_0_to_1() -> None:
    """The demo's own way, to the last bit as its training did it."""
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    tensor = prepared(DIGIT, Image.fromarray(pixels))
    assert np.array_equal(tensor, pixels.reshape(1, 64).astype(np.float32) * np.float32(1 / 255))


def test_what_is_transparent_counts_as_black_before_anything_else() -> None:
    """Half of white is grey, whatever colour hides behind the transparency."""
    image = Image.new("RGBA", (60, 40), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (0, 0, 30, 40))
    told = PHOTO | {"scale": 1, "layout": "NHWC", "shape": [1, 4, 6, 3]}
    assert prepared(told, image)[0, 0, :, 0].tolist() == [255, 255, 255, 0, 0, 0]
