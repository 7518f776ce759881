"""The model half of a release: an immutable set of files with a manifest."""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from nocturne.domain import digest
from nocturne.domain.errors import Rejected

MANIFEST = "manifest.json"
CARD = "model.json"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True)
class ModelFile:
    """One file of a model version. path: relative, with slashes. size: bytes. sha256: `sha256:` and 64 digits."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ModelManifest:
    """What a data scientist published: the files, and what the model's card (`model.json`) says of them.

    created_at: RFC 3339, UTC. card: the parsed `model.json` (input and output contract, labels, metrics).
    """

    name: str
    version: str
    created_at: str
    files: tuple[ModelFile, ...]
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The identity of the model: the digest over the sorted (path, sha256) of its files."""
        return digest.of_json(sorted([file.path, file.sha256] for file in self.files))

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def to_json(self) -> bytes:
        """The manifest as it stands in the store."""
        content = {"schema": 1, **asdict(self), "digest": self.digest}
        return json.dumps(content, indent=2, ensure_ascii=False).encode()


@dataclass(frozen=True)
class FrozenModel:
    """A model version as a run froze it: its manifest, and for each file the ETag that the store gave it then.

    digest repeats the manifest's, because it is what everything else refers to. etags: path to ETag.
    """

    name: str
    version: str
    digest: str
    created_at: str
    files: tuple[ModelFile, ...]
    etags: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def parse_manifest(content: bytes, source: str) -> ModelManifest:
    """Read a manifest from the store. Raises Rejected with every fault found; `source` names the blob in it."""
    try:
        raw = json.loads(content)
    except ValueError as error:
        raise Rejected(f"{source} is not JSON: {error}", advice="publish the version again under a new name") from error
    faults = list(_faults(raw))
    if faults:
        listing = "; ".join(faults)
        raise Rejected(f"{source} is not a model manifest: {listing}", advice="publish with `nocturne models publish`")
    files = tuple(ModelFile(item["path"], item["size"], item["sha256"]) for item in raw["files"])
    manifest = ModelManifest(raw["name"], raw["version"], raw["created_at"], files, raw["card"])
    if raw.get("digest") != manifest.digest:
        raise Rejected(
            f"{source} says digest {raw.get('digest')}, but its list of files gives {manifest.digest}",
            advice="the manifest was edited after it was published; publish the version again under a new name",
        )
    return manifest


def check_version(version: str) -> str:
    """`version` itself when it can name a folder and a label everywhere, else ValueError."""
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{version!r} cannot name a model version: use letters, digits and . _ + - (100 at most)")
    return version


def safe_path(path: str) -> bool:
    """Whether a path from a manifest stays inside its folder."""
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts and "\\" not in path and str(pure) == path


def _faults(raw: Any) -> list[str]:
    if not isinstance(raw, dict):
        return [f"expected an object, found {type(raw).__name__}"]
    faults = []
    if raw.get("schema") != 1:
        faults.append(f"schema is {raw.get('schema')!r}, expected 1")
    faults += [f"{key} is missing or no text" for key in ("name", "version", "created_at") if not isinstance(raw.get(key), str)]
    if not isinstance(raw.get("card"), dict):
        faults.append("card is missing or no object")
    files = raw.get("files")
    if not isinstance(files, list) or not files:
        return [*faults, "files is missing or empty"]
    return faults + [fault for item in files for fault in _file_faults(item)]


def _file_faults(item: Any) -> list[str]:
    if not isinstance(item, dict) or not isinstance(item.get("path"), str):
        return [f"a file entry without a path: {item!r}"]
    faults = []
    if not safe_path(item["path"]):
        faults.append(f"the path {item['path']!r} leaves the model's folder")
    if not isinstance(item.get("size"), int) or item["size"] < 0:
        faults.append(f"{item['path']}: size is {item.get('size')!r}, expected a number of bytes")
    try:
        digest.check(str(item.get("sha256")))
    except ValueError as error:
        faults.append(f"{item['path']}: {error}")
    return faults
