"""A model's card, `model.json`: what the model expects and answers, told by whoever trained it.

The app believes nothing else about a model, so another model needs no change of code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import orjson

from app.fields import Fields

CARD_FILE = "model.json"
SCHEMA = 1


class CardError(Exception):
    """The card cannot be used; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class Input:
    """How an image becomes the model's input: grey, `width` x `height`, then `(pixel * scale - mean) / std`."""

    name: str
    shape: tuple[int | None, ...]
    type: str
    width: int
    height: int
    colour: str
    scale: float
    mean: float
    std: float


@dataclass(frozen=True)
class Output:
    """The tensor with one number per label; `kind` is `probabilities` or `logits`."""

    name: str
    kind: str


@dataclass(frozen=True)
class Card:
    """One model's card; `file` is the ONNX file beside it."""

    name: str
    file: str
    input: Input
    output: Output
    labels: tuple[str, ...]
    metrics: Mapping[str, float]


def read_card(folder: Path) -> Card:
    """Return the card of the model in `folder`, or raise CardError."""
    path = folder / CARD_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CardError([f"looked for the model's card at {path.absolute()}: {error.strerror}"]) from error
    try:
        return parse_card(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        raise CardError([f"{CARD_FILE} is not JSON: {error}"]) from error


def parse_card(content: object) -> Card:
    """Return the card that the decoded JSON `content` tells, or raise CardError with every fault found."""
    fields = Fields(content, CARD_FILE)
    fields.one_of("schema", [SCHEMA])
    card = Card(
        name=fields.text("name"),
        file=_file(fields),
        input=_input(fields.object("input")),
        output=_output(fields.object("output")),
        labels=_labels(fields),
        metrics=_metrics(fields),
    )
    if fields.faults:
        raise CardError(fields.faults)
    return card


def _file(fields: Fields) -> str:
    name = fields.text("model")
    # The card comes with the model, from outside: it may not point at other files of this machine.
    if name and (Path(name).name != name or name == ".."):
        fields.fault("model", name, "the name of a file in the same folder")
    return name


def _input(fields: Fields) -> Input:
    parsed = Input(
        name=fields.text("name"),
        shape=_shape(fields),
        type=fields.one_of("type", ["float32"]),
        width=fields.whole("width"),
        height=fields.whole("height"),
        colour=fields.one_of("colour", ["L"]),
        scale=fields.number("scale"),
        mean=fields.number("mean", 0.0),
        std=fields.number("std", 1.0),
    )
    if parsed.std == 0:
        fields.fault("std", 0, "a number other than 0, because pixels are divided by it")
    if parsed.shape and parsed.width and parsed.height:
        _check_size(fields, parsed)
    return parsed


def _check_size(fields: Fields, parsed: Input) -> None:
    numbers = prod(size for size in parsed.shape[1:] if size is not None)
    if numbers != parsed.width * parsed.height:
        fields.fault("shape", list(parsed.shape), f"{parsed.width} x {parsed.height} numbers after the first size")


def _shape(fields: Fields) -> tuple[int | None, ...]:
    shape = fields.list("shape")
    sizes_known = all(type(size) is int and size > 0 for size in shape[1:])
    if shape and not (len(shape) >= 2 and shape[0] in (None, 1) and sizes_known):
        fields.fault("shape", shape, "null or 1 for one image at a time, then whole numbers, such as [null, 64]")
        return ()
    return tuple(shape)


def _output(fields: Fields) -> Output:
    return Output(name=fields.text("name"), kind=fields.one_of("kind", ["probabilities", "logits"]))


def _labels(fields: Fields) -> tuple[str, ...]:
    labels = fields.list("labels")
    if not all(isinstance(label, str) and label for label in labels):
        fields.fault("labels", labels, "texts only")
    elif labels and (len(labels) < 2 or len(set(labels)) < len(labels)):
        fields.fault("labels", labels, "at least two, each once")
    return tuple(labels)


def _metrics(fields: Fields) -> Mapping[str, float]:
    metrics = fields.object("metrics")
    accuracy = metrics.number("accuracy")
    if not 0 <= accuracy <= 1:
        metrics.fault("accuracy", accuracy, "a share from 0 to 1")
    return {"accuracy": accuracy, "held_out": metrics.whole("held_out")}
