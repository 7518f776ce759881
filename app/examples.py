"""Images to try the model with: some of its golden set, where that is there."""

import base64
import logging
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from app.card import Card
from app.golden_set import GoldenSetError, Sample, read_golden_set
from app.images import open_image

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "golden"
MOST = 10
MAX_BYTES = 4_000_000
"""Of the golden set's file: the app reads it whole when it starts, and should be ready soon."""


@dataclass(frozen=True)
class Example:
    """One image file, as it is sent to the model, and what it shows."""

    label: str
    content: bytes
    type: str


def read_examples(card: Card, folder: Path = FOLDER) -> list[Example]:
    """Return one golden sample for each of the first ten labels, none where `folder` has no golden set of this model.

    The model's golden set is the one with the model's name.
    """
    # Compared, not joined: the name comes with the model, from outside.
    files = [file for file in folder.glob("*.json") if file.stem == card.name and file.stat().st_size <= MAX_BYTES]
    try:
        samples = [sample for file in files for sample in read_golden_set(file)]
    except GoldenSetError as error:
        # Nobody needs examples to be served.
        log.warning("the page shows no examples: %s", error)
        return []
    first = {sample.label: sample for sample in reversed(samples)}
    return [_example(first[label]) for label in card.labels if label in first][:MOST]


def _example(sample: Sample) -> Example:
    content = base64.b64decode(sample.image)
    kind = open_image(content).format or ""
    return Example(sample.label, content, Image.MIME.get(kind, "application/octet-stream"))
