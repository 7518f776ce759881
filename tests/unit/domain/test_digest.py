import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocturne.domain import digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.binary())
def test_the_digest_of_bytes_is_their_sha256(content: bytes) -> None:
    """It is written as OCI writes it, and well-formed."""
    found = digest.of_bytes(content)
    assert found == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert digest.check(found) == found


@given(st.dictionaries(st.text(), JSON), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, object], order: random.Random) -> None:
    """The same object with its keys in another order has the same digest."""
    items = list(value.items())
    order.shuffle(items)
    assert digest.of_json(dict(items)) == digest.of_json(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), ([1, 2], [2, 1]), ({"a": 1}, {"a": 2}), ([["a"], "b"], ["a", ["b"]]), (None, False), (0, False), ({}, [])],
)
def test_different_values_have_different_digests(one: object, other: object) -> None:
    """Values that differ in kind, order or nesting have different digests."""
    assert digest.of_json(one) != digest.of_json(other)


def test_the_digest_of_json_never_changes() -> None:
    """A known value keeps its digest over versions of Nocturne: release ids are made of it."""
    expected = "sha256:6bafd57c7869b3aca54e576a5157b40cc195c8486124cab93d52f1b59556838e"
    assert digest.of_json({"b": [1, "ü"], "a": None}) == expected


@pytest.mark.parametrize(
    "text",
    ["", "sha256:", "a" * 64, f"sha256:{'a' * 63}", f"sha256:{'a' * 65}", f"sha256:{'A' * 64}", f"sha256:{'g' * 64}",
     f"sha512:{'a' * 64}", f" sha256:{'a' * 64}", f"sha256:{'a' * 64}\n"],
)  # fmt: skip
def test_what_is_no_digest_is_refused(text: str) -> None:
    """Anything but `sha256:` and 64 small hexadecimal digits is an error that shows it."""
    with pytest.raises(ValueError, match="not a digest"):
        digest.check(text)


def test_the_short_form_is_twelve_digits() -> None:
    """For people: twelve digits, with or without the algorithm before them."""
    assert digest.short(f"sha256:{'0123456789ab' + 'f' * 52}") == "0123456789ab"
    assert digest.short("0123456789abcdef") == "0123456789ab"
