"""Slightly turned, moved and squeezed copies of images, as different hands would have written them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LARGE = 64
TURN_DEGREES = 8
ZOOM = (0.85, 1.05)
MOVE_PIXELS = 2.8


def vary(pixels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return one changed copy of each (8, 8) image."""
    return np.stack([_vary_one(image, random) for image in pixels])


def _vary_one(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Change a large copy, so that shades between the pixels survive, and shrink it as the app shrinks images."""
    height, width = image.shape
    large = Image.fromarray(image).resize((LARGE, LARGE), Image.Resampling.BICUBIC)
    changed = large.transform(large.size, Image.Transform.AFFINE, _affine(random), Image.Resampling.BILINEAR)
    return np.asarray(changed.resize((width, height), Image.Resampling.BOX))


def _affine(random: np.random.Generator) -> tuple[float, ...]:
    """Return a random change as the six numbers of Pillow's affine transform, around the image's middle."""
    turn = np.deg2rad(random.uniform(-TURN_DEGREES, TURN_DEGREES))
    zoom_y = 1 / random.uniform(*ZOOM)
    zoom_x = zoom_y * random.uniform(0.9, 1.1)
    matrix = np.array([[np.cos(turn) * zoom_x, -np.sin(turn) * zoom_y], [np.sin(turn) * zoom_x, np.cos(turn) * zoom_y]])
    middle = np.full(2, LARGE / 2)
    offset = middle - matrix @ (middle + random.uniform(-MOVE_PIXELS, MOVE_PIXELS, 2))
    return tuple(float(value) for row, shift in zip(matrix, offset, strict=True) for value in (*row, shift))
