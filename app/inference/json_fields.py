"""Reads the JSON objects of a request; the first fault is told as a Problem (400)."""

from typing import Any

from app.problems import Problem


def as_object(content: object, where: str) -> dict[str, Any]:
    """Return a JSON object."""
    if type(content) is not dict:
        raise wrong(where, content, "a JSON object")
    return content


def parameters_of(content: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the parameters; those that this app does not know change nothing, those it may not ignore are refused."""
    parameters = content.get("parameters")
    if parameters is None:
        return {}
    told = as_object(parameters, f"parameters of {where}")
    if "shared_memory_region" in told:
        raise Problem(400, f"{where} names a shared_memory_region; expected its data: this app shares no memory")
    return told


def text(content: dict[str, Any], name: str, where: str) -> str:
    """Return a text that is not empty."""
    value = content.get(name)
    if not (type(value) is str and value):
        raise wrong(f'"{name}" of {where}', value, "a text")
    return value


def flag(parameters: dict[str, Any], name: str, default: bool, where: str) -> bool:
    """Return a truth value."""
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise wrong(f"{name} of {where}", value, "true or false")
    return value


def wrong(what: str, found: object, expected: str) -> Problem:
    """Return the problem to raise about a value; None stands for one that is missing."""
    return Problem(400, f"{what} is {'missing' if found is None else short(found)}; expected {expected}")


def short(value: object) -> str:
    """Return a value as a text of bounded length, for a problem's text."""
    # What is nested may be so deep that its repr fails.
    if isinstance(value, (list, dict)):
        return f"a JSON {type(value).__name__} of {len(value)}"
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
