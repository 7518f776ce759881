"""JSON as its specification has it, which somebody else wrote."""

import json
import math
from typing import Any


def loads(content: str | bytes) -> Any:
    """What the text says. Raises ValueError for all that is no JSON: Python also takes NaN, Infinity and numbers that are too large
    for it, which databases and browsers do not. Source: https://www.rfc-editor.org/rfc/rfc8259#section-6
    """
    try:
        return json.loads(content, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"found {name}, which only Python takes for JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"found the number {text[:50]}, which is too large")
    return number
