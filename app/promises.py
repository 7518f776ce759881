"""Checks a model against its card: every promise that it breaks is one fault."""

import math

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from app.card import Card

TYPES = {"float32": "tensor(float)", "uint8": "tensor(uint8)"}
OUTPUT_TYPE = TYPES["float32"]
ROUNDING = 1e-3


def interface_faults(session: onnxruntime.InferenceSession, card: Card) -> list[str]:
    """Return where the model's inputs and outputs differ from what the card says."""
    return _input_faults(session, card) + _output_faults(session, card)


def number_faults(numbers: int, card: Card, images: int = 1) -> list[str]:
    """Return why so many numbers are not an answer to so many images; an empty list when they are."""
    if numbers == images * len(card.labels):
        return []
    found = f"{numbers} numbers" + (f" for {images} images" if images > 1 else "")
    return [f"the model answers {found}; expected one for each of the {len(card.labels)} labels"]


def answer_faults(answer: NDArray[np.float64], card: Card) -> list[str]:
    """Return why a row of `answer` is not one probability per label; an empty list when all are."""
    if not np.isfinite(answer).all():
        return ["the model answers numbers that are not finite; expected probabilities"]
    totals = answer.sum(axis=1)
    worst = totals[np.abs(totals - 1).argmax()]
    if answer.min() < -ROUNDING or abs(worst - 1) > ROUNDING:
        return [f"the model answers numbers from {answer.min():.4g} that add up to {worst:.4g}; expected probabilities"]
    return []


def _input_faults(session: onnxruntime.InferenceSession, card: Card) -> list[str]:
    inputs = session.get_inputs()
    if [found.name for found in inputs] != [card.input.name]:
        names = [found.name for found in inputs]
        return [f"the model's inputs are {names}; its card says one, {card.input.name!r}"]
    faults = []
    found = inputs[0]
    if found.type != TYPES[card.input.type]:
        faults.append(f"the model's input is {found.type}; its card says {card.input.type}, {TYPES[card.input.type]}")
    if not _fits(found.shape, card.input.shape):
        faults.append(f"the model's input has the shape {found.shape}; its card says {list(card.input.shape)}")
    return faults


def _output_faults(session: onnxruntime.InferenceSession, card: Card) -> list[str]:
    outputs = {found.name: found for found in session.get_outputs()}
    found = outputs.get(card.output.name)
    if found is None:
        return [f"the model's outputs are {list(outputs)}; its card says {card.output.name!r}"]
    if found.type != OUTPUT_TYPE:
        return [f"the model's output is {found.type}; expected {OUTPUT_TYPE}"]
    # A shape that the runtime cannot tell beforehand comes empty: such a model is asked instead (`Model.warm_up`).
    if not found.shape:
        return []
    # The first size counts images, but for models that answer one image with nothing but its numbers.
    sizes = found.shape[1:] if len(found.shape) > 1 else found.shape
    known = [size for size in sizes if isinstance(size, int)]
    return number_faults(math.prod(known), card) if len(known) == len(sizes) else []


def _fits(found: list[int | str | None], told: tuple[int | None, ...]) -> bool:
    """Tell whether sizes agree; a name or None in the model's own shape stands for any size, no shape for any."""
    if not found:
        return True
    if len(found) != len(told):
        return False
    return all(
        not isinstance(size, int) or size == (card_size or 1) for size, card_size in zip(found, told, strict=True)
    )
