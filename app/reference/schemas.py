"""JSON schemas in words: one line for each field of an object, however deep."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN = 12


@dataclass(frozen=True)
class Field:
    """A field of a JSON object. path: such as `predictions[].labels`. kind: what it holds, in words."""

    path: str
    kind: str
    required: bool
    description: str


class Resolver:
    """Follows the references of a document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def one(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a node refers to, or itself."""
        while reference := node.get("$ref"):
            found: Any = self._document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def all(self, nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return what several nodes refer to."""
        return [self.one(node) for node in nodes]

    def fields(self, schema: Mapping[str, Any], path: str = "") -> Iterator[Field]:
        """Return all fields within a schema, outer ones first."""
        schema = self.one(schema)
        required = schema.get("required", ())
        for name, child in schema.get("properties", {}).items():
            child, place = self.one(child), f"{path}.{name}" if path else name
            yield Field(place, self.kind(child), name in required, child.get("description", ""))
            yield from self.fields(child, place)
        if "items" in schema:
            yield from self.fields(schema["items"], f"{path}[]")
        for choice in schema.get("anyOf", ()):
            yield from self.fields(choice, path)

    def kind(self, schema: Mapping[str, Any]) -> str:
        """Return what a value of this schema is, in words."""
        schema = self.one(schema)
        if "const" in schema:
            return f"`{_text(schema['const'])}`"
        if "enum" in schema:
            return _choices(schema["enum"])
        if "anyOf" in schema:
            return " or ".join(dict.fromkeys(self.kind(choice) for choice in schema["anyOf"]))
        if "prefixItems" in schema:
            return "[" + ", ".join(self.kind(item) for item in schema["prefixItems"]) + "]"
        if schema.get("type") == "array" and "items" in schema:
            return f"list of {self.kind(schema['items'])}{_bounds(schema, 'minItems', 'maxItems')}"
        kinds = schema.get("type", "anything")
        words = kinds if isinstance(kinds, str) else " or ".join(kinds)
        return words + _bounds(schema, "minimum", "maximum")


def _choices(values: Sequence[object]) -> str:
    more = len(values) - SHOWN
    shown = ", ".join(f"`{_text(value)}`" for value in values[:SHOWN])
    return shown + (f" and {more} more" if more > 0 else "")


def _bounds(schema: Mapping[str, Any], low: str, high: str) -> str:
    if low in schema and high in schema:
        return f", {schema[low]} to {schema[high]}"
    if low in schema:
        return f", at least {schema[low]}"
    return f", at most {schema[high]}" if high in schema else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
