"""A layer as a plain tar that is the same bytes for the same files, made while it is read and never kept whole.

Modes, owners and times are fixed, names sorted; PAX headers carry what ustar cannot (long names, more than 8 GiB).
Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nocturne.domain.errors import Broken, Rejected
from nocturne.ports.image_registry import LayerFile

CHUNK = 1 << 18
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_WHITEOUT = ".wh."

_State = tuple[int, int, int]


@dataclass(frozen=True)
class _Entry:
    """One name in the tar. source: None for a folder. state: size, time and inode of a file on disk when it was hashed."""

    name: str
    source: Path | bytes | None
    size: int
    state: _State | None = None


@dataclass(frozen=True)
class Layer:
    """A layer that was measured. digest: of the tar, which is also its diff_id, because it is not compressed. size: bytes."""

    digest: str
    size: int
    entries: tuple[_Entry, ...]

    def chunks(self) -> Iterator[bytes]:
        """The tar from its beginning. Raises Broken when a file is no longer what was measured."""
        return _tar(self.entries)


def measure(files: Iterable[LayerFile]) -> Layer:
    """Hash the layer that `files` make. Raises Rejected for names that no layer can have, Broken for unreadable files."""
    entries = tuple(_entries(files))
    sha256, size = hashlib.sha256(), 0
    for chunk in _tar(entries):
        sha256.update(chunk)
        size += len(chunk)
    return Layer(f"sha256:{sha256.hexdigest()}", size, entries)


def _entries(files: Iterable[LayerFile]) -> list[_Entry]:
    sources: dict[PurePosixPath, Path | bytes] = {}
    for file in files:
        path = _inside(file.path)
        if path in sources:
            raise Rejected(f"a layer has {file.path} twice, expected each file once")
        sources[path] = file.source
    folders = {parent for path in sources for parent in path.parents if parent.parts}
    if both := folders & sources.keys():
        raise Rejected(f"a layer has /{min(both)} both as a file and as a folder")
    # By parts: a folder comes before what is in it, whatever characters the names have.
    return [_entry(path, sources.get(path)) for path in sorted(folders | sources.keys(), key=lambda path: path.parts)]


def _inside(text: str) -> PurePosixPath:
    path = PurePosixPath(text)
    # POSIX gives a path with two slashes in front a meaning of its own, and so does pathlib.
    plain = path.root == "/" and ".." not in path.parts and str(path) == text and "\0" not in text
    if not plain or len(path.parts) < 2:
        raise Rejected(f"a layer cannot have a file at {text!r}: expected an absolute, plain path")
    if any(part.startswith(_WHITEOUT) for part in path.parts):
        raise Rejected(
            f"a layer cannot have a file at {text!r}: names that begin with {_WHITEOUT} delete files of the base image",
            advice="rename the file",
        )
    return path.relative_to("/")


def _entry(path: PurePosixPath, source: Path | bytes | None) -> _Entry:
    if source is None:
        return _Entry(f"{path}/", None, 0)
    if isinstance(source, bytes):
        return _Entry(str(path), source, len(source))
    state = _state(source)
    return _Entry(str(path), source, state[0], state)


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError as error:
        raise Broken(f"{path} cannot be read: {error.strerror}") from error
    return found.st_size, found.st_mtime_ns, found.st_ino


def _tar(entries: Iterable[_Entry]) -> Iterator[bytes]:
    for entry in entries:
        yield _header(entry)
        if isinstance(entry.source, Path):
            yield from _content(entry.source, entry.size)
            if _state(entry.source) != entry.state:
                raise _changed(entry.source)
        elif entry.source:
            yield entry.source
        if entry.size % _BLOCK:
            yield bytes(_BLOCK - entry.size % _BLOCK)
    yield _END


def _header(entry: _Entry) -> bytes:
    member = tarfile.TarInfo(entry.name)
    member.type = tarfile.DIRTYPE if entry.source is None else tarfile.REGTYPE
    member.mode = 0o755 if entry.source is None else 0o644
    member.size = entry.size
    return member.tobuf(tarfile.PAX_FORMAT)


def _content(path: Path, size: int) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            left = size
            while left:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    raise _changed(path)
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise Broken(f"{path} cannot be read: {error.strerror}") from error


def _changed(path: Path) -> Broken:
    return Broken(f"{path} changed while it was put into an image", advice="nothing may write to it then; try again")
