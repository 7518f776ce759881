"""Samples with known answers that no model was trained on."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from app.fields import Fields
from app.images import ImageError, decode, open_base64


class GoldenSetError(Exception):
    """The file cannot be used to judge a model; the text lists what is wrong with it."""


@dataclass(frozen=True)
class Sample:
    """One golden sample: a base64 image and the label it shows."""

    id: str
    image: str
    label: str


def read_golden_set(file: Path) -> list[Sample]:
    """Return the samples in `file`, or raise GoldenSetError with every fault found."""
    try:
        content = orjson.loads(file.read_bytes())
    except OSError as error:
        raise GoldenSetError(f"looked for the golden set at {file}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise GoldenSetError(f"the golden set {file} is not JSON: {error}") from error
    fields = Fields(content, file.name)
    fields.one_of("schema", [1])
    samples = [_sample(entry, place, fields.faults) for place, entry in enumerate(fields.list("samples"), 1)]
    if fields.faults:
        raise GoldenSetError("\n".join(fields.faults))
    return samples


def _sample(entry: object, place: int, faults: list[str]) -> Sample:
    where = f"sample {place}"
    fields = Fields(entry if entry is not None else [], where, faults)
    sample = Sample(fields.text("id"), fields.text("image"), fields.text("label"))
    try:
        decode(open_base64(sample.image), "RGB")
    except ImageError as error:
        faults.append(f"{where}: the image {error}")
    return sample
