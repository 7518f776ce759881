"""Reading one mapping of a compose file, in the types that the Compose specification has."""

import re
from collections.abc import Callable
from typing import Any

from nocturne.adapters.swarm.quantities import nanoseconds, size_bytes
from nocturne.domain.section import Section

_LONE_DOLLAR = re.compile(r"(?<!\$)\$(?!\$)")


class ComposeSection(Section):
    """A mapping of a compose file. Keys that begin with `x-` are extensions and not looked at."""

    def __init__(self, raw: Any, path: str, faults: list[str]) -> None:
        if isinstance(raw, dict):
            raw = {str(key): value for key, value in raw.items() if not str(key).startswith("x-")}
        super().__init__(raw, path, faults)

    def keys(self) -> list[str]:
        """The keys that are there."""
        return list(self._raw)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        self._known.add(key)
        return key in self._raw

    def is_text(self, key: str) -> bool:
        """Whether the key's value is a text, where a list could be too."""
        return isinstance(self._raw.get(key), str)

    def table(self, key: str) -> "ComposeSection":
        """A mapping in this mapping; a missing one reads as empty."""
        self._known.add(key)
        return ComposeSection(self._raw.get(key, {}), self._join(key), self._faults)

    def duration(self, key: str, default: int) -> int:
        """A duration, in nanoseconds."""
        value = self._get(key, str, "a duration such as 10s", "")
        return self._quantity(key, value, nanoseconds) if value else default

    def size(self, key: str, default: int) -> int:
        """A size, in bytes."""
        value = self._get(key, (str, int), "a size such as 512M", "")
        return self._quantity(key, str(value), size_bytes) if value != "" else default

    def cores(self, key: str) -> int:
        """A number of cores, in billionths of one; 0 for no limit. Compose allows a text or a number."""
        value = self._get(key, (str, int, float), "a number of cores such as '0.5'", 0)
        try:
            return round(float(value) * 10**9)
        except ValueError:
            self.fault(key, f"found {value!r}, expected a number of cores such as '0.5'")
            return 0

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts, empty when there is none."""
        value = self._get(key, (str, list), "a text or a list of texts", [])
        items = [value] if isinstance(value, str) else value
        if not all(isinstance(item, str) for item in items):
            self.fault(key, f"found {value!r}, expected a text or a list of texts")
            return ()
        return tuple(self.literal(key, item) for item in items)

    def variables(self, key: str) -> dict[str, str]:
        """Environment variables: a mapping, or a list of `NAME=value`."""
        raw = self._get(key, (dict, list), "a mapping of variables or a list of NAME=value", {})
        pairs = raw.items() if isinstance(raw, dict) else [self._pair(key, item) for item in raw]
        return {str(name): self._variable(f"{key}.{name}", value) for name, value in pairs if name}

    def literal(self, key: str, text: str) -> str:
        """A text without substitution. Compose would put a variable in place of `$NAME`; here that is a fault."""
        if _LONE_DOLLAR.search(text):
            self.fault(key, f"found {text!r}, expected no variable: nothing is substituted here (write $$ for a dollar sign)")
        return text.replace("$$", "$")

    def _pair(self, key: str, item: Any) -> tuple[str, Any]:
        name, equals, value = item.partition("=") if isinstance(item, str) else ("", "", "")
        if not name or not equals:
            self.fault(key, f"found {item!r}, expected NAME=value")
            return "", ""
        return name, value

    def _variable(self, key: str, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            self.fault(key, f"found {value!r}, expected a text or a number (write a flag in quotes)")
            return ""
        return self.literal(key, str(value))

    def _quantity(self, key: str, text: str, convert: Callable[[str], int]) -> int:
        try:
            return convert(text)
        except ValueError as error:
            self.fault(key, f"found {error}")
            return 0
