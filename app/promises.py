"""Checks a model against its card: every promise that it breaks is one fault."""

import math

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from app.card import Card

TYPES = {"float32": "tensor(float)"}
ROUNDING = 1e-3


def interface_faults(session: onnxruntime.InferenceSession, card: Card) -> list[str]:
    """Return where the model's inputs and outputs differ from what the card says."""
    return _input_faults(session, card) + _output_faults(session, card)


def answer_faults(answer: NDArray[np.float64], card: Card) -> list[str]:
    """Return why `answer` is not one probability per label; an empty list when it is."""
    if len(answer) != len(card.labels):
        return [f"the model answers {len(answer)} numbers; expected one for each of the {len(card.labels)} labels"]
    if not np.isfinite(answer).all():
        return ["the model answers numbers that are not finite; expected probabilities"]
    total = math.fsum(answer)
    if answer.min() < -ROUNDING or abs(total - 1) > ROUNDING:
        return [f"the model answers numbers from {answer.min():.4g} that add up to {total:.4g}; expected probabilities"]
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
    if found.type not in TYPES.values():
        return [f"the model's output is {found.type}; expected {', '.join(TYPES.values())}"]
    last = found.shape[-1] if found.shape else 1
    if isinstance(last, int) and last != len(card.labels):
        return [f"the model answers {last} numbers; expected one for each of the {len(card.labels)} labels"]
    return []


def _fits(found: list[int | str | None], told: tuple[int | None, ...]) -> bool:
    """Tell whether sizes agree; a name or None in the model's own shape stands for any size."""
    if len(found) != len(told):
        return False
    return all(
        not isinstance(size, int) or size == (card_size or 1) for size, card_size in zip(found, told, strict=True)
    )
