"""Text as every database can hold it."""

import re
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

_UNHOLDABLE = re.compile("[\0\ud800-\udfff]")


class Words(TypeDecorator[str]):
    """Text in which U+FFFD stands for what PostgreSQL cannot hold: NUL, and halves of surrogate pairs.

    Reasons quote what programs printed, and those print anything. Read alike, for what SQLite took before.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """On the way in."""
        return storable(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """On the way out."""
        return storable(value)


def storable(value: Any) -> Any:
    """A text that every database can hold; other values as they are (`release.state` is a StrEnum, and stays one)."""
    return _UNHOLDABLE.sub("\ufffd", value) if isinstance(value, str) and _UNHOLDABLE.search(value) else value
