"""Brings images of any size to the size that a model wants, in the way it was trained on."""

from PIL import Image

from app.card_input import Input

FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
"""By their names in the card. Box takes the mean of the pixels it covers, as the training digits were made."""

GAP = 2.0
"""Decoders may leave out what is finer than so many pixels for each one that is wanted: nobody sees a difference.

It is `reducing_gap` of https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.thumbnail.
"""

LEAST = 256
"""Below this nothing is left out: such images are cheap, and for a model that takes 8 x 8 pixels each one counts."""


class Resizing:
    """Makes images `width` x `height`, as a card's `input` says.

    enough: a shorter side of this many pixels holds all the detail that is used.
    """

    def __init__(self, told: Input) -> None:
        self._size = (told.width, told.height)
        self._filter = FILTERS[told.filter]
        self._short = told.resize_to
        self._fit = {"stretch": self._stretch, "crop": self._crop, "pad": self._pad}[told.resize]
        self.enough = max(LEAST, int(GAP * max(told.width, told.height, told.resize_to)))

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the image in its new size; an image that has it already may come as it is."""
        return self._fit(image)

    def _stretch(self, image: Image.Image) -> Image.Image:
        return image if image.size == self._size else image.resize(self._size, self._filter)

    def _crop(self, image: Image.Image) -> Image.Image:
        """Shrink until the shorter side is `resize_to`, then take the middle, both rounded as torchvision does.

        Only what is taken is ever computed: a line of 1 x 1,000,000 pixels would need gigabytes otherwise.
        """
        width, height = image.size
        shorter = min(width, height)
        whole = (self._short * width // shorter, self._short * height // shorter)
        left, top = (round((long - size) / 2) for long, size in zip(whole, self._size, strict=True))
        across, down = width / whole[0], height / whole[1]
        right, bottom = (left + self._size[0]) * across, (top + self._size[1]) * down
        box = (left * across, top * down, min(right, width), min(bottom, height))
        return image.resize(self._size, self._filter, box=box)

    def _pad(self, image: Image.Image) -> Image.Image:
        """Shrink until the whole image fits, and lay it on the middle of a black one."""
        scale = min(size / side for size, side in zip(self._size, image.size, strict=True))
        width, height = (max(1, round(side * scale)) for side in image.size)
        padded = Image.new(image.mode, self._size)
        middle = ((self._size[0] - width) // 2, (self._size[1] - height) // 2)
        padded.paste(image.resize((width, height), self._filter), middle)
        return padded
