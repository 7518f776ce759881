"""Models to publish in tests, and what the tests of the store share."""

import hashlib
import os
from pathlib import Path

from obstore.store import ObjectStore

from nocturne.domain.model import ModelFile, ModelManifest

NAME = "digits"


def ignore(moved: int) -> None:
    """Progress that nobody looks at."""


def write_model(folder: Path, *, size: int = 300_000, seed: bytes = b"") -> Path:
    """A folder with a card and a model of `size` random bytes, other ones for every call unless a seed is given."""
    (folder / "parts").mkdir(parents=True)
    (folder / "model.json").write_bytes(b'{"name": "digits", "note": "a card"}')
    (folder / "parts" / "weights.bin").write_bytes((seed or os.urandom(32)) * 10)
    (folder / "model.onnx").write_bytes(hashlib.shake_128(seed).digest(size) if seed else os.urandom(size))
    return folder


def manifest_of(folder: Path, version: str, created_at: str = "2026-11-22T02:00:00+00:00") -> ModelManifest:
    """The true manifest of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [
        ModelFile(
            path.relative_to(folder).as_posix(), path.stat().st_size, f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        )
        for path in paths
    ]
    return ModelManifest(NAME, version, created_at, tuple(files), {"labels": ["0", "1"]})


def tamper(store: ObjectStore, path: str) -> None:
    """Flip the last bit of a blob, leaving its size as it is."""
    content = bytearray(store.get(path).bytes().to_bytes())
    content[-1] ^= 1
    store.put(path, bytes(content))
