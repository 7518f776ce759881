import dataclasses
import json

import pytest

from nocturne.domain.contest import Contest, Standing, changed, contest
from nocturne.domain.golden import GoldenSet, parse_golden_set
from nocturne.domain.release_toml import parse_configuration
from tests.fakes.world import RELEASE_TOML

GATES = parse_configuration(RELEASE_TOML, "release.toml").judge


def golden(count: int) -> GoldenSet:
    samples = [{"image": "?", "label": "yes"} for _ in range(count)]
    return parse_golden_set(json.dumps({"samples": samples}).encode(), "golden.json")


@pytest.mark.parametrize(
    ("lost", "won", "expected"),
    [
        (0, 0, Standing.NOT_WORSE),
        (0, 9, Standing.NOT_WORSE),
        (2, 0, Standing.NOT_WORSE),  # 1%, which is allowed
        (52, 50, Standing.NOT_WORSE),
        (3, 0, Standing.UNCLEAR),  # 1.5%, p = 0.125
        (4, 0, Standing.UNCLEAR),  # p = 0.0625
        (5, 0, Standing.WORSE),  # p = 0.031
        (12, 8, Standing.UNCLEAR),  # 2%, p = 0.25
        (16, 6, Standing.WORSE),  # 5%, p = 0.026
    ],
)
def test_the_rule(lost: int, won: int, expected: Standing) -> None:
    """A drop within what is allowed passes whatever chance says; beyond it, chance decides between worse and unclear."""
    assert Contest(lost, won, 200, allowed=0.01, significance=0.05).standing is expected


def test_only_what_one_alone_has_right_counts() -> None:
    """Samples that both have right, or both wrong in whatever way, say nothing."""
    new, live = ("yes", "no", "no", "yes", "a"), ("yes", "no", "yes", "maybe", "b")
    found = contest(new, live, golden(5), dataclasses.replace(GATES, max_accuracy_drop=0.3))
    assert found == Contest(1, 1, 5, 0.3, 0.05)


def test_unclear_says_what_it_would_take() -> None:
    """The message has all numbers, and how many samples would tell."""
    told = Contest(4, 0, 200, 0.01, 0.05).unclear()
    assert "accuracy is 2.00% below the live release's, expected at most 1.00% below it" in told
    assert "of 200 samples 4 are right only in the live release and 0 only in the new one" in told
    assert "p = 0.062" in told
    assert "about 230 samples" in told


def test_changed_answers_are_counted_and_ten_are_shown() -> None:
    """Right or wrong, an answer that users would get otherwise is counted; an example names its sample and all three labels."""
    found = changed(("no",) * 12 + ("yes",), ("yes",) * 13, golden(13))
    assert (found.count, len(found.examples)) == (12, 10)
    assert found.examples[9] == {"sample": "9", "known": "yes", "live": "yes", "new": "no"}
    assert found.lines()[-1] == "  and 2 more"
