import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocturne.domain.paired_test import p_value, samples_needed

COUNTS = st.integers(0, 200)


def exactly(lost: int, won: int) -> Fraction:
    """The definition, in whole numbers."""
    throws = lost + won
    return Fraction(sum(math.comb(throws, heads) for heads in range(lost, throws + 1)), 2**throws)


@given(COUNTS, COUNTS)
def test_it_is_the_binomial_tail(lost: int, won: int) -> None:
    """It equals the sum of whole numbers that defines it, also where it is tiny."""
    assert math.isclose(p_value(lost, won), float(exactly(lost, won)), rel_tol=1e-11)


@pytest.mark.parametrize(("lost", "won"), [(0, 0), (1, 0), (0, 1), (3, 1), (4, 4), (1, 6), (9, 2)])
def test_it_counts_what_chance_would_do(lost: int, won: int) -> None:
    """It is the share of all ways in which coins could fall that have at least so many losses."""
    ways = list(product((0, 1), repeat=lost + won))
    assert p_value(lost, won) == pytest.approx(sum(sum(way) >= lost for way in ways) / len(ways))


@given(COUNTS, COUNTS)
def test_more_losses_are_never_less_suspicious(lost: int, won: int) -> None:
    """One sample more that only the old one has right makes chance less probable, one that only the new one has right more so."""
    slack = 1e-12
    assert p_value(lost + 1, won) <= p_value(lost, won) + slack
    assert p_value(lost, won + 1) >= p_value(lost, won) - slack


@pytest.mark.parametrize(
    ("lost", "won", "expected"),
    [(500_000, 500_000, 0.5), (501_645, 498_355, 0.0005), (10**9 + 52_000, 10**9 - 52_000, 0.01), (10**6, 0, 0.0), (0, 10**6, 1.0)],
)
def test_millions_of_samples_do_not_overflow(lost: int, won: int, expected: float) -> None:
    """Golden sets of any size can be compared, near the normal distribution that they approach."""
    assert p_value(lost, won) == pytest.approx(expected, rel=0.02, abs=1e-3 * bool(expected > 0.1))


@given(st.integers(1, 40), st.integers(0, 40), st.sampled_from([0.05, 0.01, 0.000001]))
def test_so_many_samples_would_tell(more: int, won: int, significance: float) -> None:
    """With twice as many samples as it names the same shares are significant, and with half as many they are not."""
    lost, samples = won + more, 2 * won + more + 100
    needed = samples_needed(lost, won, samples, significance)
    assert p_value(2 * lost * needed // samples, 2 * won * needed // samples) <= significance
    if needed > 2 * samples:
        assert p_value(lost * needed // samples // 2, won * needed // samples // 2) > significance


def test_what_tells_already_needs_no_more() -> None:
    """A difference that is significant needs the samples that there are, rounded up."""
    assert samples_needed(20, 0, 200, 0.05) == 200
    assert samples_needed(4, 0, 200, 0.05) == 230
