"""Claims: who publishes which files under a version's name.

Large files cannot be uploaded under a condition, so without a claim two publishers could mix theirs. A claim is written before the
first file and names the model's digest; it is emptied once the version is whole and the pointer moved, so that a claim with
something in it is a publishing that is under way, or broke off.
"""

import json
from concurrent.futures import ThreadPoolExecutor

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.layout import Layout, is_version
from nocturne.domain.errors import Conflict
from nocturne.domain.model import ModelManifest

_AT_ONCE = 8
ANOTHER = "publish under another version's name"


def take(blobs: Blobs, layout: Layout, manifest: ModelManifest) -> bool:
    """Claim the version's name for these files. False when it was claimed for the same files before, by a publisher that died or is
    at work beside us: going on is right then, since it uploads the same bytes. Raises Conflict when it was claimed for others.
    """
    path = layout.claim(manifest.version)
    if blobs.create(path, json.dumps({"digest": manifest.digest, "at": manifest.created_at}).encode()):
        return True
    if is_open(blobs, layout, manifest):
        return False
    there = blobs.read(path)
    if there and not there.content:
        fault = f"the version {manifest.version} of {layout.name} was published before: its name cannot be taken again"
        raise Conflict(fault, advice=ANOTHER)
    claimed = there.content[:200].decode(errors="replace") if there else "nothing"
    raise Conflict(
        f"the version {manifest.version} of {layout.name} is being published with other files, or was and broke off:"
        f" found the claim {claimed}, expected {manifest.digest}",
        advice=ANOTHER,
    )


def is_open(blobs: Blobs, layout: Layout, manifest: ModelManifest) -> bool:
    """Whether these very files are being published under this version, or were until it broke off."""
    there = blobs.read(layout.claim(manifest.version))
    return there is not None and manifest.digest in there.content.decode(errors="replace")


def close(blobs: Blobs, layout: Layout, version: str) -> None:
    """The version is published: nothing is left to go on with. Whoever does the same at this moment is as good."""
    path = layout.claim(version)
    there = blobs.stat(path)
    if there and there.size:
        blobs.replace(path, b"", there.e_tag)


def find_open(blobs: Blobs, layout: Layout, model_digest: str) -> str | None:
    """The version under which these files are being published, the one begun last if there are several."""
    claims = [(blob.modified_at, path) for path, blob in blobs.below(layout.claims) if blob.size]
    newest_first = [path for _, path in sorted(claims, reverse=True)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        contents = list(pool.map(blobs.read, newest_first))
    named = (
        path.removeprefix(f"{layout.claims}/")
        for path, blob in zip(newest_first, contents, strict=True)
        if blob and model_digest in blob.content.decode(errors="replace")
    )
    return next((version for version in named if is_version(version)), None)
