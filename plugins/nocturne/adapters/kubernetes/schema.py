"""Validation of objects without a cluster, against the schemas of the newest Kubernetes that is known here.

A server older than 1.25 reports only the first field that it does not know; the schemas find them all, before anything is asked of
it.
"""

from functools import cache
from typing import Any

import jsonschema
from kubernetes_validate import latest_version
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from nocturne.adapters.kubernetes.kinds import KINDS

_LONGEST = 200


def schema_faults(found: dict[str, Any]) -> list[str]:
    """Every breach of its kind's schema, unknown fields too, with the path of the field."""
    kind = KINDS[found["kind"]]
    # A version that no current server serves any more has the shape of its successor, which has a schema.
    newest = next(group[0] for group in kind.versions if found["apiVersion"] in group)
    errors = sorted(
        _validator(kind.name, newest).iter_errors({**found, "apiVersion": newest}), key=lambda error: list(map(str, error.path))
    )
    return [f"{_path(error)}{_message(error)}" for error in errors]


@cache
def _validator(kind: str, version: str) -> Any:
    folder = f"kubernetes-json-schema/v{latest_version()}-local-strict"
    group, _, short = version.rpartition("/")
    name = f"{kind.lower()}-{group.partition('.')[0]}-{short}" if group else f"{kind.lower()}-{short}"
    schema = schema_contents(f"{folder}/{name}.json", short)
    registry: Any = Registry()
    for content in (schema, _definitions(folder)):
        registry = Resource.from_contents(content) @ registry
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _definitions(folder: str) -> Any:
    return schema_contents(f"{folder}/_definitions.json", "")


def _path(error: Any) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{path.removeprefix('.')}: " if path else ""


def _message(error: Any) -> str:
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(set(error.instance) - set(known))
        return f"found {', '.join(unknown)}, expected only fields that Kubernetes {latest_version().rpartition('.')[0]} knows"
    if error.validator == "required":
        return str(error.message).replace("'", "").replace("is a required property", "is missing")
    text = str(error.message).replace(", 'null'", "")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
