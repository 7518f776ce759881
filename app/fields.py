"""Reads a JSON object field by field and remembers every fault, so that all are told at once."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, TypeVar

T = TypeVar("T")


class Fields:
    """The fields of one JSON object; nested objects share one list of `faults`.

    A reader never raises. What it returns after a fault is a stand-in of the right type, not to be used.
    """

    def __init__(self, content: object, place: str, faults: list[str] | None = None) -> None:
        self.faults: list[str] = [] if faults is None else faults
        self._place = place
        self._content: dict[str, Any] = content if isinstance(content, dict) else {}
        self._told = isinstance(content, dict)
        if not self._told and content is not None:
            self.faults.append(f"{place} is {_short(content)}; expected an object")

    def fault(self, name: str, found: object, expected: str) -> None:
        """Remember that the field `name` holds `found` instead of what was expected."""
        self.faults.append(f"{self._place}: {name!r} is {_short(found)}; expected {expected}")

    def text(self, name: str) -> str:
        """Read a text that is not empty."""
        value = self._get(name, "a text")
        if value is not None and not (isinstance(value, str) and value):
            self.fault(name, value, "a text")
            return ""
        return value or ""

    def flag(self, name: str) -> bool:
        """Read true or false; false where the field is left out."""
        return self.one_of(name, [False, True], default=False)

    def number(self, name: str) -> float:
        """Read a finite number."""
        value = self._get(name, "a number")
        if value is not None and not _is_number(value):
            self.fault(name, value, "a number")
            return 0.0
        return float(value or 0)

    def numbers(self, name: str, count: int, default: float) -> tuple[float, ...]:
        """Read `count` finite numbers: a list of them, or one that counts for all; `default` where it is left out."""
        value = self._content.get(name, default)
        numbers = value if isinstance(value, list) else [value] * count
        if len(numbers) != count or not all(map(_is_number, numbers)):
            self.fault(name, value, f"a number, or a list of {count}" if count > 1 else "a number")
            return (1.0,) * count
        return tuple(map(float, numbers))

    def whole(self, name: str, default: int | None = None) -> int:
        """Read a whole number above 0; the field may be left out where there is a default."""
        if default is not None and name not in self._content:
            return default
        value = self._get(name, "a whole number above 0")
        if value is not None and not (type(value) is int and value > 0):
            self.fault(name, value, "a whole number above 0")
            return 0
        return value or 0

    def list(self, name: str) -> list[Any]:
        """Read a list that is not empty."""
        value = self._get(name, "a list")
        if value is not None and not (isinstance(value, list) and value):
            self.fault(name, value, "a list that is not empty")
            return []
        return value or []

    def one_of(self, name: str, allowed: Sequence[T], default: T | None = None) -> T:
        """Read one of the values that this app knows how to handle; it may be left out where there is a default."""
        if default is not None and name not in self._content:
            return default
        expected = " or ".join(_short(value) for value in allowed)
        value = self._get(name, expected)
        if value is not None and not any(value == known and type(value) is type(known) for known in allowed):
            self.fault(name, value, expected)
            return allowed[0]
        return allowed[0] if value is None else value

    def names(self) -> Sequence[str]:
        """Return the names of all fields that are there."""
        return list(self._content)

    def holds(self, name: str) -> bool:
        """Tell whether the field is there, whatever is in it."""
        return name in self._content

    def is_text(self, name: str) -> bool:
        """Tell whether the field is there and holds a text."""
        return isinstance(self._content.get(name), str)

    def object(self, name: str) -> "Fields":
        """Read a nested object."""
        value = self._get(name, "an object")
        return Fields(value, f"{self._place}: {name}", self.faults)

    def _get(self, name: str, expected: str) -> Any:
        value = self._content.get(name)
        if value is None and self._told:
            self.faults.append(f"{self._place}: {name!r} is missing; expected {expected}")
        return value


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and isfinite(value)  # type: ignore[arg-type]  # it was looked at just before


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
