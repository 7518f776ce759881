"""A model's card, `model.json`: what the model expects and answers, told by whoever trained it.

The app believes nothing else about a model, so another model needs no change of code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.card_input import Input, parse_input
from app.fields import Fields

CARD_FILE = "model.json"
SCHEMA = 1


class CardError(Exception):
    """The card cannot be used; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class Output:
    """The tensor with one number per label; `kind` is `probabilities` or `logits`."""

    name: str
    kind: str


@dataclass(frozen=True)
class Card:
    """One model's card; `file` is the ONNX file beside it. draw: people may draw its input, white on black."""

    name: str
    file: str
    input: Input
    output: Output
    labels: tuple[str, ...]
    metrics: Mapping[str, float]
    draw: bool


def read_card(folder: Path) -> Card:
    """Return the card of the model in `folder`, or raise CardError."""
    path = folder / CARD_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CardError([f"looked for the model's card at {path.absolute()}: {error.strerror}"]) from error
    try:
        return parse_card(orjson.loads(content), folder)
    except orjson.JSONDecodeError as error:
        raise CardError([f"{CARD_FILE} is not JSON: {error}"]) from error


def parse_card(content: object, folder: Path | None = None) -> Card:
    """Return the card that the decoded JSON `content` tells, or raise CardError with every fault found.

    folder: where the card is, for one that names a file with its labels.
    """
    fields = Fields(content, CARD_FILE)
    fields.one_of("schema", [SCHEMA])
    card = Card(
        name=fields.text("name"),
        file=_file(fields, "model"),
        input=parse_input(fields.object("input")),
        output=_output(fields.object("output")),
        labels=_labels(fields, folder),
        metrics=_metrics(fields),
        draw=fields.flag("draw"),
    )
    if fields.faults:
        raise CardError(fields.faults)
    return card


def _file(fields: Fields, field: str) -> str:
    name = fields.text(field)
    # The card comes with the model, from outside: it may not point at other files of this machine.
    if name and (Path(name).name != name or name == ".."):
        fields.fault(field, name, "the name of a file in the same folder")
        return ""
    return name


def _output(fields: Fields) -> Output:
    return Output(name=fields.text("name"), kind=fields.one_of("kind", ["probabilities", "logits"]))


def _labels(fields: Fields, folder: Path | None) -> tuple[str, ...]:
    labels = _labels_in_file(fields, folder) if fields.is_text("labels") else fields.list("labels")
    if not all(isinstance(label, str) and label for label in labels):
        fields.fault("labels", labels, "texts only")
    elif labels and (len(labels) < 2 or len(set(labels)) < len(labels)):
        fields.fault("labels", labels, "at least two, each once")
    return tuple(labels)


def _labels_in_file(fields: Fields, folder: Path | None) -> list[str]:
    """Return the lines of the file that the card names, such as ImageNet's `synset.txt`."""
    name = _file(fields, "labels")
    if not (name and folder):
        return []
    try:
        text = (folder / name).read_text("utf-8-sig").rstrip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        fields.fault("labels", name, f"a list, or the name of a text file beside the card ({reason})")
        return []
    labels = [line.strip() for line in text.split("\n")]
    if not all(labels):
        fields.fault("labels", name, f"a file with a label a line, but its line {labels.index('') + 1} is empty")
    return [label for label in labels if label]


def _metrics(fields: Fields) -> Mapping[str, float]:
    if not fields.holds("metrics"):
        return {}
    metrics = fields.object("metrics")
    found = {name: metrics.whole(name) if name == "held_out" else metrics.number(name) for name in metrics.names()}
    if not 0 <= found.get("accuracy", 0) <= 1:
        metrics.fault("accuracy", found["accuracy"], "a share from 0 to 1")
    return found
