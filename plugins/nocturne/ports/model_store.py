"""Where data scientists publish models."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nocturne.domain.model import FrozenModel, ModelManifest

Progress = Callable[[int], None]
"""Called with the number of bytes that were moved since the last call."""


@dataclass(frozen=True)
class ModelListing:
    """One published version. latest: whether the pointer names it."""

    version: str
    latest: bool
    manifest: ModelManifest


class ModelStore(ABC):
    """The versions of one model, each in a folder of its own, and a pointer to the latest."""

    @abstractmethod
    def freeze(self, version: str | None) -> FrozenModel:
        """Pin a version, or the latest one for None: its manifest and each blob's ETag, as they are now.

        Raises NotFound (no such version; the message lists those there are), Rejected (a bad manifest, or a blob of it is
        missing or of another size), Broken (store out of reach).
        """

    @abstractmethod
    def fetch(self, model: FrozenModel, path: str, destination: Path, progress: Progress) -> None:
        """Stream one file of a frozen model to `destination`, pinned to its ETag, checked against size and sha256.

        Raises BlobChanged when the blob is no longer the one frozen, Rejected when its bytes are not what the manifest says,
        Broken when the store is out of reach. Nothing is left at `destination` then.
        """

    @abstractmethod
    def publish(self, folder: Path, manifest: ModelManifest, progress: Progress) -> None:
        """Upload the files, then the manifest, then move the pointer, so that no reader ever sees half a version.

        Raises Conflict when the version exists already or somebody else moved the pointer meanwhile.
        """

    @abstractmethod
    def check(self) -> list[str]:
        """What keeps the store from being read, in plain words; empty when it can be. Changes nothing."""

    @abstractmethod
    def versions(self) -> list[ModelListing]:
        """All whole versions, newest first."""
