"""Two versions of one object side by side: where they differ, and who has set what is found there.

Source of the format of managedFields: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nocturne.adapters.kubernetes.api import FIELD_MANAGER, Object
from nocturne.adapters.kubernetes.ownership import SERVERS_OWN

_LIST_KEYS = ("containerPort", "port", "name", "ip", "topologyKey")
"""What tells the entries of a list apart, where the API merges them by key."""


@dataclass(frozen=True)
class Step:
    """One step down into an object: a key, or a list's entry, with what identifies it. text: as a person writes it."""

    text: str
    key: str = ""
    entry: Any = None


Path = tuple[Step, ...]


@dataclass(frozen=True)
class Difference:
    """found, expected: None where there is nothing."""

    path: Path
    found: Any
    expected: Any


def compare(found: Object, expected: Object, ignored: tuple[str, ...] = ()) -> list[Difference]:
    """Where two versions differ, apart from what the API server keeps by itself. ignored: paths, as they are written."""
    clean = [
        {key: value for key, value in version.items() if key != "status"}
        | {"metadata": {key: value for key, value in version["metadata"].items() if key not in SERVERS_OWN}}
        for version in (found, expected)
    ]
    return [difference for difference in _walk((), *clean) if written(difference.path) not in ignored]


def written(path: Path) -> str:
    """As a person writes it, like `spec.template.spec.containers[app].image`."""
    return "".join(step.text for step in path).removeprefix(".")


def setters(live: Object, path: Path) -> list[str]:
    """The managers other than ours that have set a field of a live object, or something under it."""
    entries = [entry for entry in live["metadata"].get("managedFields") or [] if entry.get("manager") != FIELD_MANAGER]
    return sorted({str(entry["manager"]) for entry in entries if _owns(entry.get("fieldsV1") or {}, path)})


def key_text(key: str) -> str:
    """A key in a path, as a person writes it."""
    return f"[{key}]" if "." in key or "/" in key else f".{key}"


def is_entry(entry: Any, wanted: Any) -> bool:
    """Whether an entry of a list is the one that managedFields has, by its value or by its keys."""
    return bool(entry == wanted or (isinstance(entry, dict) and isinstance(wanted, dict) and wanted.items() <= entry.items()))


def _walk(path: Path, found: Any, expected: Any) -> Iterator[Difference]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in [*found, *(key for key in expected if key not in found)]:
            yield from _walk((*path, Step(key_text(key), key)), found.get(key), expected.get(key))
    elif isinstance(found, list) and isinstance(expected, list):
        left, right = _by_entry(found), _by_entry(expected)
        for step in [*left, *(step for step in right if step not in left)]:
            yield from _walk((*path, _entry(step, left.get(step, right.get(step)))), left.get(step), right.get(step))
    elif found != expected:
        yield Difference(path, found, expected)


def _entry(name: str, entry: Any) -> Step:
    return Step(f"[{name}]", "", entry)


def _by_entry(items: list[Any]) -> dict[str, Any]:
    for key in _LIST_KEYS:
        if all(isinstance(item, dict) and key in item for item in items):
            named = {str(item[key]): item for item in items}
            if len(named) == len(items):
                return named
    return {str(number): item for number, item in enumerate(items)}


def _owns(fields: dict[str, Any], path: Path) -> bool:
    """Whether a set of fields has this path. A list that is set as a whole has no entries of its own."""
    for step in path:
        if not fields or set(fields) == {"."}:
            return False
        following = fields.get(f"f:{step.key}") if step.key else _of_entry(fields, step.entry)
        if following is None:
            return False
        fields = following
        if not fields and step.key:
            return True
    return True


def _of_entry(fields: dict[str, Any], entry: Any) -> dict[str, Any] | None:
    for name, following in fields.items():
        kind, _, text = name.partition(":")
        if kind not in ("k", "v"):
            continue
        if is_entry(entry, json.loads(text)):
            return dict(following)
    return None
