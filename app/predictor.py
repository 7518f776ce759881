"""From images to ranked labels: what all scoring routes have in common."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.images import ImageError, open_image
from app.limits import Limits
from app.model import Model
from app.problems import Problem

S = TypeVar("S")

Observe = Callable[[str, float], None]
"""Gets the best label of an image, and its probability."""

Watcher = Callable[[str | bytes, list[str]], None]
"""Gets each image that was asked about, in base64 or as its file's bytes, and its labels, best first."""


class Ranked(NamedTuple):
    """A label and how likely it is, from 0 to 1."""

    label: str
    probability: float


class Predictor:
    """A model behind limits. observe: learns of each image's answer."""

    def __init__(self, model: Model, limits: Limits, observe: Observe | None = None) -> None:
        self.model = model
        self.limits = limits
        self.observe = observe
        self._labels = model.card.labels

    def open(self, sources: Sequence[S], opening: Callable[[S], Image.Image]) -> list[Image.Image]:
        """Return the images, not decoded yet; raises Problem (400, 413) where they break the rules."""
        if not 1 <= len(sources) <= self.limits.images:
            found = f"found {len(sources)} images; expected 1 to {self.limits.images} in one request"
            raise Problem(413 if sources else 400, found)
        images, pixels = [], 0
        for place, source in enumerate(sources, 1):
            try:
                image = opening(source)
            except ImageError as error:
                raise Problem(400, f"image {place} {error}") from error
            width, height = image.size
            pixels += width * height
            images.append(image)
        if pixels > self.limits.pixels:
            advice = "send smaller images or fewer at once"
            raise Problem(413, f"found {pixels} pixels; expected at most {self.limits.pixels} in one request: {advice}")
        return images

    def open_bytes(self, contents: Sequence[bytes]) -> list[Image.Image]:
        """Return the images that some files hold, as `open` does."""
        return self.open(contents, open_image)

    def rank(self, images: Sequence[Image.Image], top: int) -> list[list[Ranked]]:
        """Return each image's likeliest labels, best first; raises Problem (400) where an image is damaged."""
        ranked = [self._best(probabilities, top) for probabilities in self._probabilities(images)]
        if self.observe:
            for row in ranked:
                self.observe(*row[0])
        return ranked

    def _best(self, row: NDArray[np.float64], top: int) -> list[Ranked]:
        # With few labels this is quicker than NumPy; with very many, the model takes far longer than either.
        values = row.tolist()
        order = sorted(range(len(values)), key=values.__getitem__, reverse=True)[:top]
        return [Ranked(self._labels[index], values[index]) for index in order]

    def _probabilities(self, images: Sequence[Image.Image]) -> NDArray[np.float64]:
        try:
            probabilities = self.model.probabilities(images)
        except ImageError as error:
            raise Problem(400, f"image {error.place} {error}") from error
        # No client can do anything about it: it is the model that fails, on images that are none it was tried with.
        # (NumPy's `all` takes longer than anything else that is done with the numbers of one image.)
        if 0 in np.isfinite(probabilities).tobytes():
            raise ArithmeticError("the model answers numbers that are not finite; expected probabilities")
        return probabilities
