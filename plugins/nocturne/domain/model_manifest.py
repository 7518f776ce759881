"""Reading a model's manifest, which somebody else wrote."""

import json
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from nocturne.domain import digest
from nocturne.domain.errors import Rejected
from nocturne.domain.model import MANIFEST, ModelFile, ModelManifest, check_version, safe_path

_ADVICE = "publish it again under a new version's name, with `nocturne models publish`"


def parse_manifest(content: bytes, source: str) -> ModelManifest:
    """Read a manifest from the store. Raises Rejected with every fault found; `source` names the blob in it."""
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"{source} is not JSON: {error}", advice=_ADVICE) from error
    faults = _faults(raw)
    if faults:
        listing = "; ".join(faults)
        raise Rejected(f"{source} is not a model manifest: {listing}", advice=_ADVICE)
    files = tuple(ModelFile(item["path"], item["size"], item["sha256"]) for item in raw["files"])
    manifest = ModelManifest(raw["name"], raw["version"], raw["created_at"], files, raw["card"])
    if raw.get("digest") != manifest.digest:
        found, expected = raw.get("digest"), manifest.digest
        raise Rejected(f"{source} says digest {found}, but its list of files gives {expected}: it was edited", advice=_ADVICE)
    return manifest


def _faults(raw: Any) -> list[str]:
    if not isinstance(raw, dict):
        return [f"expected an object, found {type(raw).__name__}"]
    faults = [f"schema is {raw.get('schema')!r}, expected 1"] if raw.get("schema") != 1 else []
    faults += [f"{key} is missing or no text" for key in ("name", "version", "created_at") if not isinstance(raw.get(key), str)]
    faults += [fault for key in ("name", "version") if (fault := _name_fault(key, raw.get(key)))]
    if isinstance(raw.get("created_at"), str) and not _is_time(raw["created_at"]):
        faults.append(f"created_at is {raw['created_at']!r}, expected a time such as 2026-11-20T02:00:00Z")
    if not isinstance(raw.get("card"), dict):
        faults.append("card is missing or no object")
    files = raw.get("files")
    if not isinstance(files, list) or not files:
        return [*faults, "files is missing or empty"]
    return [*faults, *(fault for item in files for fault in _file_faults(item)), *_collisions(files)]


def _name_fault(key: str, value: Any) -> str:
    if isinstance(value, str):
        try:
            check_version(value)
        except ValueError as error:
            return f"{key}: {error}"
    return ""


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _file_faults(item: Any) -> list[str]:
    if not isinstance(item, dict) or not isinstance(item.get("path"), str):
        return [f"a file entry without a path: {item!r}"]
    faults = []
    if not safe_path(item["path"]):
        faults.append(f"the path {item['path']!r} leaves the model's folder, or cannot be written down")
    if type(item.get("size")) is not int or item["size"] < 0:
        faults.append(f"{item['path']}: size is {item.get('size')!r}, expected a number of bytes")
    try:
        digest.check(str(item.get("sha256")))
    except ValueError as error:
        faults.append(f"{item['path']}: {error}")
    return faults


def _collisions(files: list[Any]) -> list[str]:
    paths = [item["path"] for item in files if isinstance(item, dict) and isinstance(item.get("path"), str)]
    known = set(paths)
    faults = [f"{path} is listed more than once" for path in sorted(known) if paths.count(path) > 1]
    faults += [f"{path} is the manifest's own name" for path in known if path == MANIFEST]
    within = ((path, str(parent)) for path in sorted(known) for parent in PurePosixPath(path).parents)
    return faults + [f"{parent} is a file, and {path} would be in it" for path, parent in within if parent in known]
