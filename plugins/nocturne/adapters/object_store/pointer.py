"""The pointer to the latest version, moved by compare-and-swap on its ETag."""

import json
from dataclasses import asdict, dataclass

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.layout import is_version
from nocturne.domain import digest
from nocturne.domain.errors import Rejected


@dataclass(frozen=True)
class Pointer:
    """The latest version. digest: the model's. at: when the pointer was moved, RFC 3339, UTC.

    Both are empty in a pointer that somebody wrote by hand, as the plain name of a version.
    """

    version: str
    digest: str
    at: str


@dataclass(frozen=True)
class PointerSeen:
    """The pointer as it was read. e_tag: what moving it depends on."""

    pointer: Pointer
    e_tag: str


def read_pointer(blobs: Blobs, path: str) -> PointerSeen | None:
    """The pointer, None when nothing was published yet. Raises Rejected for a pointer that cannot be read."""
    blob = blobs.read(path)
    return PointerSeen(_parse(blob.content, path), blob.e_tag) if blob else None


def read_any_pointer(blobs: Blobs, path: str) -> PointerSeen | None:
    """The same for whoever moves it: a pointer that cannot be read names no version, and is put right by being moved."""
    try:
        return read_pointer(blobs, path)
    except Rejected:
        there = blobs.stat(path)
        return PointerSeen(Pointer("", "", ""), there.e_tag) if there else None


def move_pointer(blobs: Blobs, path: str, pointer: Pointer, seen: PointerSeen | None) -> Pointer | None:
    """Move the pointer away from where it was seen. Returns where it is instead when somebody else moved it first, else None."""
    content = json.dumps(asdict(pointer)).encode()
    moved = blobs.replace(path, content, seen.e_tag) if seen else blobs.create(path, content)
    if moved:
        return None
    now = read_pointer(blobs, path)
    # A write whose answer was lost is tried again by the client and then meets itself.
    return None if now is None or now.pointer == pointer else now.pointer


def _parse(content: bytes, path: str) -> Pointer:
    plain = content.decode(errors="replace").strip()
    # Not even a version called `7` or `null` is JSON that means something: that is always an object.
    if is_version(plain):
        return Pointer(plain, "", "")
    try:
        raw = json.loads(content)
        if not is_version(raw["version"]):
            raise ValueError(f"{raw['version']!r} is no version")
        return Pointer(raw["version"], digest.check(raw["digest"]), str(raw.get("at", "")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Rejected(
            f"the pointer {path} cannot be read: found {content[:100]!r} ({error}), expected a version's name, or version"
            " and digest in JSON",
            advice="point it at a version: nocturne models latest VERSION",
            culprits=(path,),
        ) from error
