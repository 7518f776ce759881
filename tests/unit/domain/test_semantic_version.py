import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocturne.domain.semantic_version import highest_first, precedence

ORDERED = [
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "v2.0.0",
    "10.0.0",
]


def test_the_order_is_that_of_the_specification() -> None:
    """The specification's own example, and numbers that count as numbers, come out highest first whatever order they come in."""
    assert highest_first(sorted(ORDERED)) == ORDERED[::-1]


@pytest.mark.parametrize(
    "name", ["1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0.0", "v", "nightly", "20261122-0200-3f2a1b", "1.0.٣"]
)
def test_other_names_are_no_versions(name: str) -> None:
    """Names that only look like versions, such as the ones made of a time, have no place in the order."""
    assert precedence(name) is None
    assert highest_first([name, "1.0.0"]) == ["1.0.0"]


def test_a_build_does_not_count() -> None:
    """What stands after a plus is no part of the order; of equal ones the name that sorts last comes first."""
    assert precedence("1.0.0+7") == precedence("v1.0.0")
    assert highest_first(["1.0.0+6", "1.0.0+7", "1.0.0"]) == ["1.0.0+7", "1.0.0+6", "1.0.0"]


PARTS = st.lists(st.sampled_from(["1", "2", "10", "a", "b", "rc-1"]), max_size=3)
VERSIONS = st.builds(lambda major, parts: f"{major}.0.0" + ("-" + ".".join(parts) if parts else ""), st.integers(0, 2), PARTS)


@given(st.lists(VERSIONS, max_size=6))
def test_any_versions_can_be_ordered(names: list[str]) -> None:
    """Every list of versions has an order, in which none is lost, and a version comes before its own pre-releases."""
    found = highest_first(names)
    assert sorted(found) == sorted(names)
    for name in names:
        assert (precedence(name) or ()) <= (precedence(name.partition("-")[0]) or ())
