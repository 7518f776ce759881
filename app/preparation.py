"""From images to the tensor that a model takes, as its card says."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.card_input import Input
from app.images import ImageError, decode
from app.resizing import Resizing

AXES = {"NCHW": (0, 3, 1, 2), "NHWC": (0, 1, 2, 3), "flat": (0, 1, 2, 3)}
"""How each layout orders an array whose axes are image, row, column and colour."""


class Preparation:
    """Makes tensors; all that is the same for every image is computed once.

    `(pixel * scale - mean) / std` is one multiplication and one addition: `pixel * factor + offset`.
    """

    def __init__(self, told: Input) -> None:
        self._resize = Resizing(told)
        self._mode = "L" if told.channels == 1 else "RGB"
        self._type = np.dtype(told.type)
        self._pixels = (-1, told.height, told.width, told.channels)
        self._shape = (-1, *(size or 1 for size in told.shape[1:]))
        self._backwards = told.colour == "BGR"
        # Where pixels are single numbers, the order of axes changes nothing, and need not cost time.
        self._axes = AXES[told.layout] if told.channels > 1 else None
        scale, mean, std = (np.array(numbers) for numbers in (told.scale, told.mean, told.std))
        # Where the model takes whole numbers, its card allows no others than 1, 0 and 1.
        self._factor = self._by_channel(scale / std) if self._type == np.float32 else None
        self._offset = self._by_channel(-mean / std) if mean.any() else None

    def __call__(self, images: Sequence[Image.Image]) -> NDArray[np.generic]:
        """Return the images as one tensor; raises ImageError, with the place, where one of them is damaged."""
        content = b"".join([self._content(image, place) for place, image in enumerate(images, 1)])
        values = np.frombuffer(content, np.uint8)
        if self._axes:
            pixels = values.reshape(self._pixels)
            values = (pixels[..., ::-1] if self._backwards else pixels).transpose(self._axes)
        # In C order, so that the model reads it as it is.
        tensor = values.astype(self._type, order="C", copy=False)
        if self._factor is not None:
            tensor *= self._factor
        if self._offset is not None:
            tensor += self._offset
        return tensor.reshape(self._shape)

    def _content(self, image: Image.Image, place: int) -> bytes:
        """Return an image's pixels, one byte each and colour; what is transparent counts as black."""
        try:
            resized = self._resize(decode(image, self._mode, self._resize.enough))
        except ImageError as error:
            error.place = place
            raise
        if resized.mode == "RGBA":
            resized = Image.alpha_composite(Image.new("RGBA", resized.size, "black"), resized).convert(self._mode)
        return resized.tobytes()

    def _by_channel(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        if not self._axes:
            # NumPy multiplies faster by a number without axes than by an array that holds one number.
            return numbers.astype(np.float32).reshape(())
        colours_first = self._axes == AXES["NCHW"]
        return numbers.astype(np.float32).reshape((-1, 1, 1) if colours_first else (-1,))
