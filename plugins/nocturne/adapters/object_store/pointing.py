"""Making a version that is published already the latest."""

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.latest import LatestRule
from nocturne.adapters.object_store.layout import Layout
from nocturne.adapters.object_store.pointer import Pointer, move_pointer, read_any_pointer
from nocturne.domain.configuration import Latest
from nocturne.domain.errors import Conflict
from nocturne.domain.model import FrozenModel


def point(blobs: Blobs, layout: Layout, rule: LatestRule, model: FrozenModel, at: str) -> str:
    """Move the pointer to a version, as the port `ModelStore.point` says. at: when, RFC 3339, UTC."""
    if rule.kind is not Latest.POINTER:
        choice = rule.choose(blobs, layout)
        if choice and choice.version == model.version:
            return model.version
        raise Conflict(
            f'which version is the latest is not up to the pointer: found latest = "{rule.kind}" in release.toml',
            advice=f'leave it out there, or write latest = "pinned" and version = "{model.version}"',
        )
    seen = read_any_pointer(blobs, layout.latest)
    before = seen.pointer.version if seen else ""
    if seen and (seen.pointer.version, seen.pointer.digest) == (model.version, model.digest):
        return before
    other = move_pointer(blobs, layout.latest, Pointer(model.version, model.digest, at), seen)
    if other:
        raise Conflict(
            f"somebody else made {other.version} the latest at this moment; `latest` was left there",
            advice="look at it, and ask for yours again",
        )
    return before
