"""The objects in an app's YAML and JSON files, as kubectl would read them."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from nocturne.adapters.kubernetes.kinds import APP_KINDS, KINDS

_SUFFIXES = (".yaml", ".yml", ".json")
_IGNORED_SUFFIXES = (".md",)
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True)
class Document:
    """One object, and the file that it is in."""

    file: str
    object: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file}: {self.object['kind']} {self.object['metadata']['name']}"


class _Loader(yaml.SafeLoader):
    """Reads a date as the text that it is written as, and refuses a key that is there twice."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "found a key that is no text, expected text", key.start_mark)
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"found the key {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_documents(files: dict[str, str]) -> tuple[list[Document], list[str]]:
    """The objects in files (path to text), and every fault of them; what is read as an object has a known kind and a name."""
    documents: list[Document] = []
    faults: list[str] = []
    for path in sorted(files):
        name = PurePosixPath(path)
        if name.stem == "kustomization" and name.suffix in _SUFFIXES:
            faults.append(
                f"{path}: found a kustomization, expected what it makes: put the output of `kubectl kustomize` here instead"
            )
        elif name.suffix in _SUFFIXES:
            documents += _read_file(path, files[path], faults)
        elif name.suffix not in _IGNORED_SUFFIXES:
            faults.append(f"{path}: found a file {name.suffix or 'without a suffix'}, expected {', '.join(_SUFFIXES)}")
    return documents, faults


def _read_file(path: str, text: str, faults: list[str]) -> Iterator[Document]:
    try:
        # JSON is YAML.
        for part in yaml.load_all(text, _Loader):
            if part is not None:
                yield from _objects(path, part, faults)
    except yaml.YAMLError as error:
        faults.append(f"{path}: not YAML: {' '.join(str(error).split())}")
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        # A tag that does not fit its value, like `!!int "abc"`.
        faults.append(f"{path}: not YAML: found a value that its tag does not fit: {' '.join(str(error).split())}")


def _objects(path: str, part: Any, faults: list[str]) -> Iterator[Document]:
    if not isinstance(part, dict):
        faults.append(f"{path}: found {type(part).__name__}, expected an object with apiVersion, kind and metadata")
        return
    if part.get("kind") == "List":
        for item in part.get("items") or []:
            yield from _objects(path, item, faults)
        return
    fault = _fault(part)
    if fault:
        faults.append(f"{path}: {fault}")
    else:
        yield Document(path, part)


def _fault(found: dict[str, Any]) -> str:
    kind, version = found.get("kind"), found.get("apiVersion")
    metadata = found.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if kind not in APP_KINDS:
        return f"found an object of kind {kind!r}, expected one of {', '.join(APP_KINDS)}"
    if not KINDS[kind].alternatives(str(version)) or not version:
        return f"{kind} {name}: apiVersion: found {version!r}, expected {' or '.join(KINDS[kind].alternatives())}"
    if not isinstance(name, str) or not name:
        return f"{kind}: metadata.name: found {name!r}, expected a name"
    # The schemas allow these kinds without one.
    if kind in ("Deployment", "Service") and not isinstance(found.get("spec"), dict):
        return f"{kind} {name}: spec: found {found.get('spec')!r}, expected a mapping"
    return ""
