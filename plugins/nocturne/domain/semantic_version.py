"""Which of two versions is the higher one, as Semantic Versioning 2.0.0 has it: https://semver.org/#spec-item-11"""

import re
from typing import Any

_VERSION = re.compile(
    r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z.-]+)?",
    re.ASCII,
)


def precedence(name: str) -> tuple[Any, ...] | None:
    """What such names are compared by, None for a name that is no semantic version. A `v` before it is allowed."""
    found = _VERSION.fullmatch(name)
    if found is None:
        return None
    numbers, before = tuple(int(number) for number in found.groups()[:3]), found[4]
    # A version comes after its own pre-releases; numbers come before words, and count as numbers.
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".")) if before else ()
    return (*numbers, before is None, parts)


def highest_first(names: list[str]) -> list[str]:
    """The names that are semantic versions, the highest first; of equal ones the one whose name sorts last."""
    known = [(found, name) for name in names if (found := precedence(name)) is not None]
    return [name for _, name in sorted(known, reverse=True)]
