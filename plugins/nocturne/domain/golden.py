"""The golden set: samples with known answers, which no training ever saw. It belongs to the app's code."""

import json
from dataclasses import dataclass
from typing import Any

from nocturne.domain import digest
from nocturne.domain.errors import Rejected


@dataclass(frozen=True)
class GoldenSet:
    """images: base64 of image files; labels: what each shows. digest: of the file, so that two judgements can be compared.

    ids: what people call each sample; its number, from 0, where it has no id.
    """

    images: tuple[str, ...]
    labels: tuple[str, ...]
    digest: str
    ids: tuple[str, ...] = ()

    def accuracy(self, answers: list[str]) -> float:
        """The share of answers (0 to 1) that are the known ones."""
        return sum(answer == label for answer, label in zip(answers, self.labels, strict=True)) / len(self.labels)


def parse_golden_set(content: bytes, source: str) -> GoldenSet:
    """Read `{"samples": [{"image": base64, "label": text}, ...]}`. Raises Rejected."""
    try:
        samples = json.loads(content)["samples"]
        images, labels = tuple(item["image"] for item in samples), tuple(item["label"] for item in samples)
        ids = tuple(str(item.get("id", number)) for number, item in enumerate(samples))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Rejected(
            f"{source} is not a golden set: {type(error).__name__}: {error}",
            advice='it must hold {"samples": [{"image": "<base64>", "label": "7"}, ...]}',
        ) from error
    if not images or not all(isinstance(text, str) for text in (*images, *labels)):
        raise Rejected(f"{source} is not a golden set: found no samples, or one without texts", advice="see docs/configuration.md")
    return GoldenSet(images, labels, digest.of_bytes(content), ids)


def score_request(images: tuple[str, ...]) -> dict[str, str]:
    """The body of `POST /score` for some images: the list travels as JSON in a text."""
    return {"input": json.dumps(list(images))}


def top_labels(body: Any) -> list[str]:
    """The best label for each image, from an answer of `POST /score`. Raises ValueError when it is not such an answer."""
    try:
        return [str(ranking[0][0]) for ranking in body["result"][0]]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"expected {{'result': [[[[label, percent], ...], ...], time]}}, found {str(body)[:200]}") from error
