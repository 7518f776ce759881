"""Fields that somebody else has put into an object and the manifests do not name: an apply leaves them where they are.

Source of the format of managedFields: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nocturne.adapters.kubernetes.api import FIELD_MANAGER, Object
from nocturne.adapters.kubernetes.comparison import is_entry, key_text
from nocturne.adapters.kubernetes.ownership import is_our_entry

_PARTS: dict[str, tuple[str, ...]] = {
    "ConfigMap": ("data", "binaryData"),
    "Deployment": ("spec",),
    "Service": ("spec.selector",),
}
"""Where an addition changes what users get. Elsewhere controllers write as of right."""
_NOT_THERE = ("spec.replicas", "spec.template.metadata")
"""Scaling is an operator's and an autoscaler's; `kubectl rollout restart` annotates the pods."""


@dataclass(frozen=True)
class Addition:
    """names: the way to the field, as managedFields has it. path: as a person writes it."""

    names: tuple[str, ...]
    path: str
    value: Any
    manager: str


def additions(kind: str, live: Object) -> list[Addition]:
    """What only others own, in the parts of an object that change what users get."""
    ours: dict[str, Any] = {}
    entries = live["metadata"].get("managedFields") or []
    for entry in entries:
        if entry.get("manager") == FIELD_MANAGER:
            _add(ours, entry.get("fieldsV1") or {})
    found = [
        Addition(names, path, value_at(live, names), str(entry.get("manager")))
        for entry in entries
        if entry.get("manager") != FIELD_MANAGER
        for names in _only_in(entry.get("fieldsV1") or {}, ours)
        if (path := _written(names)) and _within(path, _PARTS.get(kind, ())) and not _within(path, _NOT_THERE)
    ]
    return [addition for addition in found if addition.value is not None]


def owned_by_us(live: Object, found: Iterable[Addition]) -> list[Object]:
    """The managedFields of a live object as they would be if we had applied the additions, too: what an apply then does not name
    any more, the server removes.

    Source: the same is done by https://pkg.go.dev/k8s.io/client-go/util/csaupgrade
    """
    entries: list[Object] = copy.deepcopy(live["metadata"].get("managedFields") or [])
    ours = next(filter(is_our_entry, entries))
    for addition in found:
        for entry in entries:
            if entry.get("manager") == addition.manager:
                _cut(entry.get("fieldsV1") or {}, addition.names)
        _set(ours["fieldsV1"], addition.names)
    return [entry for entry in entries if entry.get("fieldsV1")]


def value_at(item: Any, names: tuple[str, ...]) -> Any:
    """What an object has at a field of managedFields, None where there is nothing."""
    for name in names:
        kind, _, text = name.partition(":")
        if kind == "f":
            item = item.get(text) if isinstance(item, dict) else None
        else:
            wanted = json.loads(text)
            entries = item if isinstance(item, list) else []
            item = next((entry for entry in entries if is_entry(entry, wanted)), None)
    return item


def _only_in(theirs: dict[str, Any], ours: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The topmost fields of theirs that are not ours; what we own as a whole has no fields of its own."""
    for name, fields in theirs.items():
        if name == ".":
            continue
        if name not in ours:
            yield (*above, name)
        elif ours[name]:
            yield from _only_in(fields, ours[name], (*above, name))


def _add(into: dict[str, Any], fields: dict[str, Any]) -> None:
    for name, deeper in fields.items():
        _add(into.setdefault(name, {}), deeper)


def _cut(fields: dict[str, Any], names: tuple[str, ...]) -> None:
    first, *rest = names
    if rest and first in fields:
        _cut(fields[first], tuple(rest))
    if first in fields and (not rest or not fields[first]):
        del fields[first]


def _set(fields: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        fields = fields.setdefault(name, {})


def _written(names: tuple[str, ...]) -> str:
    return "".join(_text(name) for name in names).removeprefix(".")


def _text(name: str) -> str:
    kind, _, text = name.partition(":")
    if kind == "f":
        return key_text(text)
    wanted = json.loads(text)
    return f"[{next(iter(wanted.values())) if isinstance(wanted, dict) else wanted}]"


def _within(path: str, parts: tuple[str, ...]) -> bool:
    return any(path == part or path.startswith((f"{part}.", f"{part}[")) for part in parts)
