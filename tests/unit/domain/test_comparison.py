import dataclasses

import pytest

from nocturne.domain.comparison import Comparison, Seen
from nocturne.domain.strategy import Canary

GATES = Canary(min_requests=100, max_error_rate_increase=0.01, max_latency_ratio=1.5)
GOOD = Seen(200, 0, 0.010)


def test_equal_sides() -> None:
    """Two sides that do equally well give neither gaps nor objections."""
    found = Comparison(GOOD, GOOD)
    assert (found.gaps(GATES), found.objections(GATES)) == ([], [])


@pytest.mark.parametrize(("requests", "gaps"), [(100, 0), (99, 1), (0, 1), (None, 1)])
def test_too_few_requests_on_either_side(requests: int | None, gaps: int) -> None:
    """Fewer than the minimum is a gap, on each side by itself; the minimum is enough."""
    few = Seen(requests, 0, 0.010)
    assert len(Comparison(few, GOOD).gaps(GATES)) == gaps
    assert len(Comparison(GOOD, few).gaps(GATES)) == gaps
    assert len(Comparison(few, few).gaps(GATES)) == 2 * gaps


@pytest.mark.parametrize(("new", "live", "objections"), [(2, 0, 0), (3, 0, 1), (12, 10, 0), (13, 10, 1), (0, 50, 0)])
def test_error_rates_are_compared(new: int, live: int, objections: int) -> None:
    """The new side's rate may be higher by the allowed share and no more: of 200 requests each, by 2."""
    found = Comparison(dataclasses.replace(GOOD, failed=new), dataclasses.replace(GOOD, failed=live))
    assert len(found.objections(GATES)) == objections


@pytest.mark.parametrize(("latency", "objections"), [(0.015, 0), (0.0151, 1), (0.001, 0)])
def test_latencies_are_compared(latency: float, objections: int) -> None:
    """The new side's median may be the allowed ratio of the live side's and no more."""
    assert len(Comparison(dataclasses.replace(GOOD, latency=latency), GOOD).objections(GATES)) == objections


def test_all_objections_at_once() -> None:
    """Errors and latency are both told, with both numbers of each."""
    found = Comparison(Seen(200, 20, 0.040), GOOD).objections(GATES)
    assert found == [
        "20 of 200 requests of users failed (10.00%), expected at most 1.00%: the live release's 0.00% and 1.00%",
        "median latency is 40.0 ms, expected at most 1.5 times the live release's 10.0 ms",
    ]


def test_errors_of_too_few_requests_say_nothing() -> None:
    """One failure of two requests is no error rate; what does not depend on users still counts."""
    found = Comparison(Seen(2, 1, 0.040), GOOD).objections(GATES)
    assert [text.split()[0] for text in found] == ["median"]


@pytest.mark.parametrize("side", ["new", "live"])
def test_a_replica_that_went(side: str) -> None:
    """What users asked of it is not known: that is a gap, and no error rate is judged."""
    found = dataclasses.replace(Comparison(dataclasses.replace(GOOD, failed=100), GOOD), **{side: Seen(200, 100, 0.01, lost=2)})
    assert found.objections(GATES) == []
    assert found.gaps(GATES)[0].startswith(f"2 replicas of the {side} release went, were restarted or could not be asked")


def test_a_live_release_that_gives_no_right_answer() -> None:
    """Its time is no measure, and what users got is compared all the same."""
    found = Comparison(Seen(200, 20, 5.0), dataclasses.replace(GOOD, latency=None))
    assert found.gaps(GATES) == ["the live release gave no right answer whose time could be compared"]
    assert len(found.objections(GATES)) == 1
    assert "no right answer" in str(found)
