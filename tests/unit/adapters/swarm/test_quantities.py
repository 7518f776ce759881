"""Durations and sizes as Compose writes them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocturne.adapters.swarm.quantities import nanoseconds, size_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10s", 10 * 10**9), ("1m30s", 90 * 10**9), ("2.5s", 2_500_000_000), ("0s", 0), ("1h5m2ms3us", 3_900_002_003_000)],
)
def test_durations(text: str, expected: int) -> None:
    """A duration is a sum of numbers with units."""
    assert nanoseconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("512M", 2**29), ("512mb", 2**29), ("64k", 65536), ("1.5g", 3 * 2**29), ("100", 100)]
)
def test_sizes(text: str, expected: int) -> None:
    """A size counts in powers of 1024, and in bytes without a unit."""
    assert size_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "-1s", "1s!", "ten"])
def test_no_duration(text: str) -> None:
    """What is no duration is refused."""
    with pytest.raises(ValueError, match="is no duration"):
        nanoseconds(text)


@given(st.text())
def test_any_text(text: str) -> None:
    """Any text gives a number that is not negative, or a ValueError."""
    for convert in (nanoseconds, size_bytes):
        with contextlib.suppress(ValueError):
            assert convert(text) >= 0
