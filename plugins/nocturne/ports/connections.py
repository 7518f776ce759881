"""What a connection says, whoever keeps it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nocturne.domain.errors import ConfigurationError


@dataclass(frozen=True)
class Connection:
    """The fields of an Airflow connection. `password` and `extra` may be secret: they are left out of its text."""

    id: str
    kind: str = ""
    host: str = ""
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def required(self, name: str) -> str:
        """A text from `extra`. Raises ConfigurationError when it is missing."""
        value = self.extra.get(name)
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f"the connection {self.id}", [f"extra.{name}: found {type(value).__name__}, expected a text"])
        return value


Connections = Callable[[str], Connection]
"""Gives a connection by its id. Raises ConfigurationError when there is none."""
