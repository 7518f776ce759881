"""Three ways to bring an image to a model's size."""

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from test_card_input import PHOTO, read

from app.resizing import FILTERS, Resizing

RANDOM = np.random.default_rng(5)


def resized(image: Image.Image, **change: Any) -> Image.Image:
    told, faults = read(PHOTO | change)
    assert faults == []
    return Resizing(told)(image)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(60, 40), (40, 61), (7, 200), (6, 4), (3, 2), (513, 8)])
@pytest.mark.parametrize("name", FILTERS)
def test_a_crop_is_the_middle_of_the_whole(size: tuple[int, int], name: str) -> None:
    """It is what shrinking the whole image and cutting it gives, without computing what is cut off."""
    image, short = noise(*size), 8
    whole = tuple(int(short * side / min(size)) for side in size)
    left, top = round((whole[0] - 6) / 2), round((whole[1] - 4) / 2)
    expected = image.resize(whole, FILTERS[name]).crop((left, top, left + 6, top + 4))
    found = resized(image, resize="crop", resize_to=short, filter=name)
    assert found.size == (6, 4)
    difference = np.asarray(found).astype(int) - np.asarray(expected)
    # Box takes or leaves whole pixels at its edges, so that the last bit of a length may decide on one of them.
    assert np.abs(difference).max() <= (16 if name == "box" else 3)


def test_a_line_costs_no_memory() -> None:
    """The whole of it, 8 pixels high, would be eight million pixels long."""
    found = resized(Image.new("L", (1_000_000, 1), 200), resize="crop", resize_to=8)
    assert np.asarray(found).tolist() == [[200] * 6] * 4


def test_a_padded_image_is_whole_and_keeps_its_proportions() -> None:
    """What is left over is black."""
    found = np.asarray(resized(Image.new("RGB", (30, 10), "white"), resize="pad"))[..., 0]
    assert found.tolist() == [[0] * 6, [255] * 6, [255] * 6, [0] * 6]
    upright = np.asarray(resized(Image.new("RGB", (1, 90), "white"), resize="pad"))[..., 0]
    assert upright.tolist() == [[0, 0, 255, 0, 0, 0]] * 4
    image = noise(33, 20)
    expected = ImageOps.pad(image, (6, 4), FILTERS["bicubic"])
    assert np.array_equal(resized(image, resize="pad", filter="bicubic"), expected)


def test_stretching_ignores_proportions() -> None:
    """The whole image fills the whole input."""
    assert np.asarray(resized(Image.new("RGB", (1, 90), "white"))).tolist() == [[[255] * 3] * 6] * 4


def test_enough_is_twice_the_longest_side_that_is_needed() -> None:
    """A decoder that stops there loses nothing that can be seen; of small images all is read."""
    assert Resizing(read(PHOTO)[0]).enough == 256
    assert Resizing(read(PHOTO | {"width": 300, "shape": [1, 3, 4, 300]})[0]).enough == 600
    assert Resizing(read(PHOTO | {"resize": "crop", "resize_to": 256})[0]).enough == 512
