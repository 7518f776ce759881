"""The model half of a release: an immutable set of files with a manifest."""

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from nocturne.domain import digest

MANIFEST = "manifest.json"
CARD = "model.json"
SIGNATURE = "model.sig"
MAX_CARD_BYTES = 16_000_000
"""Of a card, and of every other text beside it."""
MAX_MANIFEST_BYTES = 64_000_000
"""Of a manifest, which has the card in it and the list of files."""
# A backslash is a slash to some; a control character breaks a line of a log.
_UNWRITABLE = re.compile(r"[\\\x00-\x1f\x7f]")
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

    digest repeats the manifest's, because it is what everything else refers to. etags: path to ETag. versions: path to the id that
    the store gave that version of the blob, where the store keeps versions; such a blob can be had even when it was overwritten.
    derived: path to text, for files that no blob holds. metrics: from the card. signature: the text of `model.sig`, empty for an
    unsigned model. `label` names the published version, which is what to blame when the store does not hold what the manifest says.
    """

    name: str
    version: str
    digest: str
    created_at: str
    files: tuple[ModelFile, ...]
    etags: dict[str, str]
    versions: dict[str, str] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    signature: str = ""

    @property
    def label(self) -> str:
        """Name and version, as people know it."""
        return f"{self.name}/{self.version}"

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def version_name(at: datetime, model_digest: str) -> str:
    """What a version is called whose publisher gives it no name: `20261122-0200-3f2a1b`."""
    return f"{at:%Y%m%d-%H%M}-{digest.short(model_digest)[:6]}"


def check_version(version: str) -> str:
    """`version` itself when it can name a folder and a label everywhere, else ValueError."""
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{version!r} cannot name a model version: use letters, digits and . _ + - (100 at most)")
    return version


def safe_path(path: str) -> bool:
    """Whether a path stays inside its folder, has one spelling, and can be written down in a layer."""
    pure = PurePosixPath(path)
    if not path or path == "." or pure.is_absolute() or ".." in pure.parts or str(pure) != path or _UNWRITABLE.search(path):
        return False
    try:
        path.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
