"""Whose an object is, or a part of it: a release's of this app, the API server's, or somebody else's."""

from typing import Any

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.api import FIELD_MANAGER

Object = dict[str, Any]

SERVERS_OWN = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
"""What the API server keeps in an object's metadata by itself."""


def is_our_entry(entry: Object) -> bool:
    """Whether an entry of managedFields was written by a release's apply."""
    return (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Apply")


def app_of(item: Object) -> str:
    """The app that a release of ours has labelled an object with, empty when none has: a label alone is easily copied."""
    entries = item["metadata"].get("managedFields") or []
    return str((item["metadata"].get("labels") or {}).get(names.APP, "")) if any(map(is_our_entry, entries)) else ""


def is_ours(item: Object, app: str) -> bool:
    """Whether a release of this app has applied an object."""
    return app_of(item) == app


def managers(item: Object) -> list[str]:
    """Everybody who has written to an object, by the names that they gave themselves."""
    return sorted({str(entry.get("manager")) for entry in item["metadata"].get("managedFields") or []})


def applied_at(item: Object) -> str:
    """When a release has last changed an object, as a time that sorts; empty when none has."""
    entries = item["metadata"].get("managedFields") or []
    return max((str(entry.get("time") or "") for entry in entries if is_our_entry(entry)), default="")
