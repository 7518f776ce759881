"""Which version a night takes when nobody names one."""

import logging
from dataclasses import dataclass

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.layout import Layout
from nocturne.adapters.object_store.pointer import read_pointer
from nocturne.adapters.object_store.times import times_of_versions, version_names
from nocturne.domain.configuration import Latest
from nocturne.domain.semantic_version import highest_first

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """A version, with why it is the latest (for messages) and the digest it must have, if anybody said so."""

    version: str
    because: str
    digest: str = ""


@dataclass(frozen=True)
class LatestRule:
    """What counts as the latest. pinned: the version's name, for that rule alone."""

    kind: Latest = Latest.POINTER
    pinned: str = ""

    def choose(self, blobs: Blobs, layout: Layout) -> Choice | None:
        """The latest version, None when there is none. Raises Rejected for a pointer that cannot be read."""
        match self.kind:
            case Latest.PINNED:
                return Choice(self.pinned, "model.version in release.toml names it")
            case Latest.NEWEST:
                newest = next(iter(newest_first(blobs, layout)), None)
                return Choice(newest, "it is the newest") if newest else None
            case Latest.HIGHEST:
                return _highest(blobs, layout)
        seen = read_pointer(blobs, layout.latest)
        return Choice(seen.pointer.version, f"{layout.latest} names it", seen.pointer.digest) if seen else None


def newest_first(blobs: Blobs, layout: Layout) -> list[str]:
    """All whole versions by when they came whole, which the store tells by its own clock: one for all publishers, but in whole
    seconds. Of those within one second, the one whose name sorts last comes first.
    """
    times = times_of_versions(blobs, layout)
    return sorted(times, key=lambda version: (times[version], version), reverse=True)


def _highest(blobs: Blobs, layout: Layout) -> Choice | None:
    names = version_names(blobs, layout)
    ordered = highest_first(names)
    if others := sorted(set(names) - set(ordered)):
        more = " and others" if len(others) > 3 else ""
        _log.info("left out, because their names are no semantic versions: %s%s", ", ".join(others[:3]), more)
    # The highest may be half a version still, which somebody publishes at this moment.
    whole = next((version for version in ordered if blobs.stat(layout.manifest(version))), None)
    return Choice(whole, "it is the highest") if whole else None
