"""When each version came whole, by the store's own clock, without looking at every blob there is.

A list of all blobs takes a store seconds where there are 10,000 versions; a list of folders takes a fraction of that, but tells
no times. A version's manifest is written once, so its time can be remembered: publishing does, and moving the pointer, in a blob
of its own, which may be lost or late, and then is only slower. Reading does not: a night's connection may lack the right to
write, and where only other tools write, nobody would know that this blob must go when a version's name is used again.
"""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.layout import Layout, is_version
from nocturne.domain.errors import Broken
from nocturne.domain.model import MANIFEST

_AT_ONCE = 8
# Asking for this many one by one takes a store as long as a list of some thousands.
_ONE_BY_ONE = 200
_WORTH_REMEMBERING = 100
_MOST_BYTES = 64 * 1024 * 1024  # about a million versions
_log = logging.getLogger(__name__)


def version_names(blobs: Blobs, layout: Layout) -> list[str]:
    """The names of all versions, whole or not, in no order."""
    return [name for name in blobs.folders(layout.name) if is_version(name)]


def times_of_versions(blobs: Blobs, layout: Layout) -> dict[str, datetime]:
    """When the manifest of each whole version was written."""
    names, known = version_names(blobs, layout), _remembered(blobs, layout)
    return _completed(blobs, layout, names, known)


def remember_times(blobs: Blobs, layout: Layout) -> None:
    """Let later lists begin from what is known now. Somebody else who does the same at this moment is as good, and a failure only
    makes lists slower: what was to be done before is done."""
    try:
        _remember(blobs, layout)
    except Broken as error:
        _log.warning("%s was not brought up to date, so lists are slower: %s", layout.times, error)


def _remember(blobs: Blobs, layout: Layout) -> None:
    names = version_names(blobs, layout)
    if len(names) < _WORTH_REMEMBERING:
        return
    there = blobs.read(layout.times, _MOST_BYTES)
    known = _parsed(there.content, layout) if there else {}
    found = _completed(blobs, layout, names, known)
    if found == known:
        return
    content = json.dumps({version: time.isoformat() for version, time in sorted(found.items())}).encode()
    if there:
        blobs.replace(layout.times, content, there.e_tag)
    else:
        blobs.create(layout.times, content)


def _completed(blobs: Blobs, layout: Layout, names: list[str], known: dict[str, datetime]) -> dict[str, datetime]:
    unknown = [name for name in names if name not in known]
    found = {name: known[name] for name in names if name in known}
    return found | (_asked_for(blobs, layout, unknown) if len(unknown) <= _ONE_BY_ONE else _listed(blobs, layout, set(unknown)))


def _asked_for(blobs: Blobs, layout: Layout, names: list[str]) -> dict[str, datetime]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        manifests = list(pool.map(lambda name: blobs.stat(layout.manifest(name)), names))
    return {name: blob.modified_at for name, blob in zip(names, manifests, strict=True) if blob}


def _listed(blobs: Blobs, layout: Layout, names: set[str]) -> dict[str, datetime]:
    found = {}
    for path, blob in blobs.below(layout.name):
        version, _, rest = path.removeprefix(f"{layout.name}/").partition("/")
        if rest == MANIFEST and version in names:
            found[version] = blob.modified_at
    return found


def _remembered(blobs: Blobs, layout: Layout) -> dict[str, datetime]:
    blob = blobs.read(layout.times, _MOST_BYTES)
    return _parsed(blob.content, layout) if blob else {}


def _parsed(content: bytes, layout: Layout) -> dict[str, datetime]:
    try:
        times = {version: datetime.fromisoformat(time) for version, time in json.loads(content).items()}
    except (ValueError, TypeError, AttributeError) as error:
        _log.warning("%s is not used, and made anew by the next publishing: %s", layout.times, error)
        return {}
    return {version: time for version, time in times.items() if time.tzinfo}
