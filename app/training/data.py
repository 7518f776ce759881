"""Scikit-learn's handwritten digits as images, split once and for all into three parts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SIDE = 8
WHITEST = 16
PERIOD = 8
GOLDEN_PLACE = 5
HELD_OUT_PLACE = 1
GOLDEN_PER_LABEL = 20


@dataclass(frozen=True)
class Digits:
    """One part of the data: each image's place in the whole, (n, 8, 8) grey pixels from 0 to 255, and labels."""

    indices: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The three parts: to learn from, to measure with, and for the golden set that judges every model ever made."""

    train: Digits
    held_out: Digits
    golden: Digits


def load_split() -> Split:
    """Return the split, which depends on nothing but an image's place: no seed can bring a golden image into training.

    Of every eight images of one label, one is golden (the first twenty), one is held out and the others are for
    training. What is golden by its place but beyond the twentieth is not used, so that all labels count the same.
    """
    bunch = load_digits()
    pixels = np.round(bunch.images * (255 / WHITEST)).astype(np.uint8)
    labels = bunch.target.astype(np.int64)
    places = _places_within_label(labels)
    golden = (places % PERIOD == GOLDEN_PLACE) & (places // PERIOD < GOLDEN_PER_LABEL)
    held_out = places % PERIOD == HELD_OUT_PLACE
    train = (places % PERIOD != GOLDEN_PLACE) & ~held_out
    return Split(*(_part(chosen, pixels, labels) for chosen in (train, held_out, golden)))


def _places_within_label(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    places = np.empty_like(labels)
    for label in np.unique(labels):
        where = labels == label
        places[where] = np.arange(where.sum())
    return places


def _part(chosen: NDArray[np.bool_], pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> Digits:
    return Digits(np.flatnonzero(chosen), pixels[chosen], labels[chosen])
