"""What a model and code that run together on the golden set are like, and whether that is good enough."""

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from nocturne.domain.configuration import Judge
from nocturne.domain.golden import GoldenSet


class Verdict(StrEnum):
    """Of a pair of code and model. Unclear: worse than the live release by more than is allowed, but perhaps by chance."""

    GOOD = "good"
    REFUSED = "refused"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Recall:
    """How many of the samples that show one label were given it."""

    samples: int
    right: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.right / self.samples


@dataclass(frozen=True)
class Judgement:
    """What the app's own evaluation found, and what we counted in its answers.

    faults: of the contract between code and model. accuracy: share (0 to 1), None where there are faults. answers: best label
    for each golden sample. latency: milliseconds for one image. golden: digest of the golden set. recall: by label, empty in what
    was recorded before it was counted. memory_mb: the evaluating process's peak, in units of 1,000,000 bytes, None where the app
    does not tell. failure: why there is no evaluation at all, empty where there is one.
    """

    faults: tuple[str, ...]
    accuracy: float | None
    answers: tuple[str, ...]
    latency_p50_ms: float
    latency_p99_ms: float
    golden: str
    recall: dict[str, Recall] = field(default_factory=dict)
    memory_mb: float | None = None
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for the ledger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "Judgement":
        """The inverse of `to_dict`, also of those that earlier versions wrote."""
        recall = {label: Recall(**counts) for label, counts in raw.get("recall", {}).items()}
        return cls(**{**raw, "faults": tuple(raw["faults"]), "answers": tuple(raw["answers"]), "recall": recall})

    @classmethod
    def failed(cls, failure: str, golden: GoldenSet) -> "Judgement":
        """Of a pair that could not be evaluated."""
        return cls((), None, (), 0, 0, golden.digest, failure=failure)

    @classmethod
    def from_evaluation(cls, raw: dict[str, Any], golden: GoldenSet) -> "Judgement":
        """From what the app's evaluation printed. Raises ValueError, KeyError or TypeError when it is something else, or
        contradicts itself."""
        faults, answers = _texts(raw["faults"]), _texts(raw["answers"])
        accuracy, latency = _number(raw["accuracy"]), raw.get("latency_ms") or {}
        if not faults:
            _check_answers(answers, accuracy, golden)
        return cls(
            faults=faults,
            accuracy=accuracy,
            answers=answers,
            latency_p50_ms=_number(latency.get("p50")) or 0,
            latency_p99_ms=_number(latency.get("p99")) or 0,
            golden=golden.digest,
            recall=_recall(answers, golden) if not faults else {},
            memory_mb=_number(raw.get("memory_mb")),
        )


def objections(judgement: Judgement, gates: Judge) -> list[str]:
    """Every reason not to ship, whatever the live release is like; empty when there is none."""
    if judgement.failure:
        return [judgement.failure]
    if judgement.faults:
        return [f"contract: {fault}" for fault in judgement.faults]
    accuracy = judgement.accuracy
    if accuracy is None:
        return ["contract: the evaluation gave no accuracy"]
    found = []
    if accuracy < gates.min_accuracy:
        found.append(f"accuracy is {accuracy:.2%}, expected at least {gates.min_accuracy:.2%}")
    found += [
        f"recall of {label!r} is {recall.share:.2%} ({recall.right} of {recall.samples}), expected at least {gates.min_recall:.2%}"
        for label, recall in sorted(judgement.recall.items())
        if recall.share < gates.min_recall
    ]
    if judgement.latency_p99_ms > gates.max_latency_p99_ms:
        found.append(f"latency p99 is {judgement.latency_p99_ms:.1f} ms, expected at most {gates.max_latency_p99_ms:.1f} ms")
    if judgement.memory_mb is not None and judgement.memory_mb > gates.max_memory_mb:
        found.append(f"the evaluation took {judgement.memory_mb:.0f} MB of memory, expected at most {gates.max_memory_mb} MB")
    return found


def _recall(answers: tuple[str, ...], golden: GoldenSet) -> dict[str, Recall]:
    right = Counter(label for answer, label in zip(answers, golden.labels, strict=True) if answer == label)
    return {label: Recall(samples, right[label]) for label, samples in Counter(golden.labels).items()}


def _check_answers(answers: tuple[str, ...], accuracy: float | None, golden: GoldenSet) -> None:
    if len(answers) != len(golden.labels):
        raise ValueError(f"it answered {len(answers)} samples, expected {len(golden.labels)}")
    counted = golden.accuracy(list(answers))
    if accuracy is not None and abs(accuracy - counted) > 0.5 / len(answers):
        raise ValueError(f"it says that accuracy is {accuracy:.2%}, but {counted:.2%} of its answers are the known ones")


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"found {str(value)[:100]}, expected a list of texts")
    return tuple(value)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"found {str(value)[:100]}, expected a number")
    return float(value)
