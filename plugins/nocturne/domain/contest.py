"""Champion and challenger: whether the new release answers the golden set worse than the live one (docs/judging.md)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nocturne.domain.configuration import Judge
from nocturne.domain.golden import GoldenSet
from nocturne.domain.paired_test import p_value, samples_needed

_EXAMPLES = 10


class Standing(StrEnum):
    """How the new one stands beside the live one."""

    NOT_WORSE = "not worse"
    UNCLEAR = "unclear"
    WORSE = "worse"


@dataclass(frozen=True)
class Contest:
    """Two releases that answered the same samples.

    lost: how many only the live one has right. won: how many only the new one has right. allowed: the largest drop of accuracy
    (0 to 1). significance: the largest p-value at which a difference counts as one.
    """

    lost: int
    won: int
    samples: int
    allowed: float
    significance: float

    @property
    def drop(self) -> float:
        """How far the new one's accuracy is below the live one's; negative where it is above."""
        return (self.lost - self.won) / self.samples

    @property
    def p(self) -> float:
        """How probable as many losses are, were both equally good."""
        return p_value(self.lost, self.won)

    @property
    def standing(self) -> Standing:
        """The rule: a drop that is not allowed must also be more than chance to refuse, and nothing less to pass."""
        if self.drop <= self.allowed:
            return Standing.NOT_WORSE
        return Standing.WORSE if self.p <= self.significance else Standing.UNCLEAR

    def told(self) -> str:
        """The numbers in a sentence."""
        return (
            f"of {self.samples} samples {self.lost} are right only in the live release and {self.won} only in the new one "
            f"(one-sided McNemar test: p = {self.p:.2g})"
        )

    def objection(self) -> str:
        """Why the new one is refused."""
        return f"{self._difference()}: {self.told()}"

    def unclear(self) -> str:
        """Why it cannot be told, and how many samples it would take."""
        needed = samples_needed(self.lost, self.won, self.samples, self.significance)
        return (
            f"{self._difference()}, but that may be chance: {self.told()}, and only p <= {self.significance:g} counts; "
            f"for such a drop to tell, the golden set would need about {needed:,} samples"
        )

    def _difference(self) -> str:
        return f"accuracy is {self.drop:.2%} below the live release's, expected at most {self.allowed:.2%} below it"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for the ledger."""
        return {"lost": self.lost, "won": self.won, "samples": self.samples, "drop": self.drop, "p": self.p}


def contest(new: tuple[str, ...], live: tuple[str, ...], golden: GoldenSet, gates: Judge) -> Contest:
    """Count where exactly one of the two is right."""
    lost = won = 0
    for new_answer, live_answer, known in zip(new, live, golden.labels, strict=True):
        lost += live_answer == known != new_answer
        won += new_answer == known != live_answer
    return Contest(lost, won, len(golden.labels), gates.max_accuracy_drop, gates.significance)


@dataclass(frozen=True)
class Changed:
    """Answers that are others than the live release's. count: of all. examples: the first ten: sample, known, live, new."""

    count: int
    examples: tuple[dict[str, str], ...]

    def lines(self) -> list[str]:
        """For the log."""
        listed = [f"  {item['sample']}: known {item['known']}, live {item['live']}, new {item['new']}" for item in self.examples]
        more = [f"  and {self.count - len(listed)} more"] if self.count > len(listed) else []
        return [f"{self.count} answers are others than the live release's", *listed, *more]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for the ledger."""
        return {"count": self.count, "examples": list(self.examples)}


def changed(new: tuple[str, ...], live: tuple[str, ...], golden: GoldenSet) -> Changed:
    """What users would get otherwise than now, right or wrong."""
    found = [
        {"sample": sample, "known": known, "live": live_answer, "new": new_answer}
        for sample, known, live_answer, new_answer in zip(golden.ids, golden.labels, live, new, strict=True)
        if new_answer != live_answer
    ]
    return Changed(len(found), tuple(found[:_EXAMPLES]))
