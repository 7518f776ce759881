import dataclasses
import json
from typing import Any

import pytest

from nocturne.domain.configuration import Judge
from nocturne.domain.golden import GoldenSet, parse_golden_set
from nocturne.domain.judgement import Judgement, Recall, objections
from nocturne.domain.release_toml import parse_configuration
from tests.fakes.world import RELEASE_TOML

LABELS = ("1", "1", "1", "2", "2")


@pytest.fixture
def golden() -> GoldenSet:
    samples = [{"id": f"s-{number}", "image": "?", "label": label} for number, label in enumerate(LABELS)]
    return parse_golden_set(json.dumps({"samples": samples}).encode(), "golden.json")


@pytest.fixture
def gates() -> Judge:
    return dataclasses.replace(parse_configuration(RELEASE_TOML, "release.toml").judge, min_recall=0.6, max_memory_mb=500)


def printed(*answers: str, **changes: Any) -> dict[str, Any]:
    """What an app prints that gave these answers."""
    right = sum(answer == label for answer, label in zip(answers, LABELS, strict=False))
    latency = {"p50": 1.0, "p99": 2.0}
    return {"faults": [], "accuracy": right / len(LABELS), "answers": list(answers), "latency_ms": latency, **changes}


def judged(golden: GoldenSet, *answers: str, **changes: Any) -> Judgement:
    return Judgement.from_evaluation(printed(*answers, **changes), golden)


def test_recall_is_counted_from_the_answers(golden: GoldenSet) -> None:
    """Each label has as many samples as the golden set, and as many right ones as the app gave."""
    assert judged(golden, "1", "1", "2", "2", "1").recall == {"1": Recall(3, 2), "2": Recall(2, 1)}


def test_the_recall_floor_names_the_label(golden: GoldenSet, gates: Judge) -> None:
    """A label that is below the floor is named with its numbers, though accuracy is good enough."""
    found = objections(judged(golden, "1", "1", "1", "2", "1"), gates)
    assert found == ["recall of '2' is 50.00% (1 of 2), expected at least 60.00%"]


def test_every_objection_at_once(golden: GoldenSet, gates: Judge) -> None:
    """Accuracy, recall, latency and memory are told together, each with what was expected."""
    bad = judged(golden, "2", "2", "1", "1", "2", latency_ms={"p50": 1, "p99": 5000}, memory_mb=501)
    assert [found.split(",")[1] for found in objections(bad, gates)] == [
        " expected at least 50.00%",
        " expected at least 60.00%",
        " expected at least 60.00%",
        " expected at most 1000.0 ms",
        " expected at most 500 MB",
    ]


def test_an_app_that_does_not_tell_its_memory(golden: GoldenSet, gates: Judge) -> None:
    """That is no objection."""
    assert objections(judged(golden, *LABELS), gates) == []


def test_a_broken_contract_is_all_that_is_told(golden: GoldenSet, gates: Judge) -> None:
    """Faults come without answers, and nothing else can be said of such a pair."""
    broken = Judgement.from_evaluation({"faults": ["no labels"], "accuracy": None, "answers": []}, golden)
    assert objections(broken, gates) == ["contract: no labels"]


@pytest.mark.parametrize(
    "raw",
    [
        printed("1", "1", "1", "2"),
        printed(*LABELS, accuracy=0.8),
        printed(*LABELS, accuracy=float("nan")),
        printed(*LABELS, accuracy="high"),
        printed(*LABELS, latency_ms={"p50": 1, "p99": float("nan")}),
        printed(*LABELS, memory_mb=True),
        printed(*LABELS) | {"answers": "11122"},
        printed(*LABELS) | {"faults": "none"},
    ],
)
def test_what_is_no_judgement(golden: GoldenSet, raw: dict[str, Any]) -> None:
    """Too few answers, an accuracy that is not that of the answers, and what is no number or no text is not taken for one."""
    with pytest.raises((ValueError, TypeError)):
        Judgement.from_evaluation(raw, golden)


def test_it_survives_the_ledger(golden: GoldenSet) -> None:
    """A judgement that was stored as JSON is the same one."""
    kept = judged(golden, "1", "1", "2", "2", "1", memory_mb=123.4)
    assert Judgement.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept


def test_what_earlier_versions_stored() -> None:
    """A row without recall and memory is still a judgement."""
    old = {"faults": [], "accuracy": 1.0, "answers": ["1"], "latency_p50_ms": 1, "latency_p99_ms": 2, "golden": "sha256:0"}
    assert Judgement.from_dict(old) == Judgement((), 1.0, ("1",), 1, 2, "sha256:0", {}, None)
