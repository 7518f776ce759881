"""Whether code and model are good enough together."""

from dataclasses import asdict, dataclass
from typing import Any

from nocturne.domain.configuration import Judge


@dataclass(frozen=True)
class Judgement:
    """What the app's own evaluation found.

    faults: of the contract between code and model. accuracy: share (0 to 1), None where there are faults. answers: best label
    for each golden sample. latency: milliseconds for one image. golden: digest of the golden set.
    """

    faults: tuple[str, ...]
    accuracy: float | None
    answers: tuple[str, ...]
    latency_p50_ms: float
    latency_p99_ms: float
    golden: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for the ledger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "Judgement":
        """The inverse of `to_dict`."""
        return cls(**{**raw, "faults": tuple(raw["faults"]), "answers": tuple(raw["answers"])})

    @classmethod
    def from_evaluation(cls, raw: dict[str, Any], golden: str) -> "Judgement":
        """From what the app's evaluation printed. Raises KeyError or TypeError when it is something else."""
        latency = raw.get("latency_ms") or {}
        return cls(
            faults=tuple(raw["faults"]),
            accuracy=raw["accuracy"],
            answers=tuple(raw["answers"]),
            latency_p50_ms=float(latency.get("p50") or 0),
            latency_p99_ms=float(latency.get("p99") or 0),
            golden=golden,
        )


def objections(challenger: Judgement, champion: Judgement | None, gates: Judge) -> list[str]:
    """Every reason not to ship; empty when there is none. champion: the live release's, on the same golden set."""
    if challenger.faults:
        return [f"contract: {fault}" for fault in challenger.faults]
    accuracy = challenger.accuracy
    if accuracy is None:
        return ["contract: the evaluation gave no accuracy"]
    found = []
    if accuracy < gates.min_accuracy:
        found.append(f"accuracy is {accuracy:.2%}, expected at least {gates.min_accuracy:.2%}")
    if champion and champion.accuracy is not None and accuracy < champion.accuracy - gates.max_accuracy_drop:
        allowed = f"at most {gates.max_accuracy_drop:.2%} below the live release's {champion.accuracy:.2%}"
        found.append(f"accuracy is {accuracy:.2%}, expected {allowed}")
    if challenger.latency_p99_ms > gates.max_latency_p99_ms:
        found.append(f"latency p99 is {challenger.latency_p99_ms:.1f} ms, expected at most {gates.max_latency_p99_ms:.1f} ms")
    return found
