"""Reading one table of a configuration file, collecting every fault instead of stopping at the first."""

import difflib
from collections.abc import Iterable
from typing import Any


class Section:
    """A table of a TOML file. Each method reads one key; what is wrong with it is added to `faults` and the default returned.

    path: where the table stands, for messages (`environments.sandbox`).
    """

    def __init__(self, raw: Any, path: str, faults: list[str]) -> None:
        self._path = path
        self._faults = faults
        self._known: set[str] = set()
        if not isinstance(raw, dict):
            faults.append(f"{path or 'the file'}: found {_kind(raw)}, expected a table")
            raw = {}
        self._raw: dict[str, Any] = raw

    def text(self, key: str, default: str | None = None, choices: Iterable[str] = ()) -> str:
        """A text; required when there is no default."""
        value = self._get(key, str, "a text", default)
        allowed = tuple(choices)
        if value and allowed and value not in allowed:
            self.fault(key, f"found {value!r}, expected one of {', '.join(map(repr, allowed))}")
        if value == "" and default is None and key in self._raw:
            self.fault(key, "found an empty text, expected at least one character")
        return str(value or "")

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        """One of some texts; the default where it is another."""
        found = self.text(key, default, choices)
        return found if found in choices else default

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """A number between two bounds, both allowed."""
        value = self._get(key, (int, float), "a number", default)
        if not low <= float(value) <= high:
            self.fault(key, f"found {value}, expected a number from {low:g} to {high:g}")
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number between two bounds, both allowed."""
        value = self._get(key, int, "a whole number", default)
        if not low <= value <= high:
            self.fault(key, f"found {value}, expected a whole number from {low} to {high}")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return bool(self._get(key, bool, "true or false", default))

    def words(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of texts."""
        value = self._get(key, list, "a list of texts", list(default))
        if (not value and default) or not all(isinstance(item, str) for item in value):
            self.fault(key, f"found {value!r}, expected a list of one text or more")
            return default
        return tuple(value)

    def all_texts(self) -> dict[str, str]:
        """The whole table as texts by name, whatever the names are."""
        return {key: self.text(key) for key in self._raw}

    def free(self, key: str) -> dict[str, Any]:
        """A table that somebody else reads; required."""
        return dict(self._get(key, dict, "a table", None) or {})

    def table(self, key: str) -> "Section":
        """A table in this table; a missing one reads as empty, so that its required keys are reported."""
        self._known.add(key)
        return Section(self._raw.get(key, {}), self._join(key), self._faults)

    def tables(self, key: str) -> dict[str, "Section"]:
        """All the tables in a table, by name."""
        self._known.add(key)
        raw = self._raw.get(key, {})
        if not isinstance(raw, dict) or not raw:
            self.fault(key, f"found {_kind(raw) if raw else 'nothing'}, expected one table or more such as [{key}.production]")
            return {}
        return {name: Section(value, f"{self._join(key)}.{name}", self._faults) for name, value in raw.items()}

    def end(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self._raw.keys() - self._known:
            close = difflib.get_close_matches(key, self._known, n=1)
            meant = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(sorted(self._known))}"
            self.fault(key, f"unknown key; {meant}")

    def fault(self, key: str, what: str) -> None:
        """Add a fault of a key."""
        self._faults.append(f"{self._join(key)}: {what}")

    def _get(self, key: str, kind: type | tuple[type, ...], expected: str, default: Any) -> Any:
        self._known.add(key)
        if key not in self._raw:
            if default is None:
                self.fault(key, f"missing, expected {expected}")
            return default
        value = self._raw[key]
        # bool is an int to Python, but `port = true` is a mistake.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"found {_kind(value)} {value!r}, expected {expected}")
            return default
        return value

    def _join(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _kind(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "a flag", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
