"""Reading a model's manifest, which somebody else wrote."""

from collections import Counter
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from nocturne.domain import digest, strict_json
from nocturne.domain.errors import Rejected
from nocturne.domain.model import MANIFEST, SIGNATURE, ModelFile, ModelManifest, check_version, safe_path

_ADVICE = "publish it again under a new version's name, with `nocturne models publish`"


def parse_manifest(content: bytes, source: str) -> ModelManifest:
    """Read a manifest from the store. Raises Rejected with every fault found; `source` names the blob in it.

    Whoever publishes without Nocturne may leave out `digest`, which only guards against an edited list of files, and `card`, which
    is empty then: it stands in `model.json` too.
    """
    try:
        raw = strict_json.loads(content)
    except ValueError as error:
        raise Rejected(f"{source} is not JSON: {error}", advice=_ADVICE) from error
    faults = _faults(raw)
    if faults:
        listing = "; ".join(faults)
        raise Rejected(f"{source} is not a model manifest: {listing}", advice=_ADVICE)
    files = tuple(ModelFile(item["path"], item["size"], item["sha256"]) for item in raw["files"])
    manifest = ModelManifest(raw["name"], raw["version"], raw["created_at"], files, raw.get("card", {}))
    if "digest" in raw and raw["digest"] != manifest.digest:
        found, expected = raw["digest"], manifest.digest
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
    if not isinstance(raw.get("card", {}), dict):
        faults.append("card is no object")
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
    known = Counter(paths)
    faults = [f"{path} is listed more than once" for path, count in sorted(known.items()) if count > 1]
    faults += [f"{MANIFEST} is the manifest's own name"] if MANIFEST in known else []
    faults += [f"{SIGNATURE} is the signature's own name: it is no file of the model"] if SIGNATURE in known else []
    within = ((path, str(parent)) for path in sorted(known) for parent in PurePosixPath(path).parents)
    return faults + [f"{parent} is a file, and {path} would be in it" for path, parent in within if parent in known]
