"""Where data scientists publish models."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nocturne.domain.model import FrozenModel, ModelManifest

Progress = Callable[[int], None]
"""Called with the number of bytes that were moved since the last call."""


class BlobDigests(ABC):
    """What is in blobs that somebody read before: a store whose layout has no manifest must read a blob to know its digest."""

    @abstractmethod
    def recall(self, blob: str, pin: str) -> str | None:
        """`sha256:...` of a blob with this ETag or version id, None when nobody has read it yet."""

    @abstractmethod
    def remember(self, blob: str, pin: str, sha256: str) -> None:
        """Keep it for other runs, on any machine."""


@dataclass(frozen=True)
class ModelListing:
    """One published version. latest: whether a night would take it."""

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
    def publish(self, folder: Path, manifest: ModelManifest, progress: Progress, signature: str = "") -> None:
        """Upload the files, the signature (`model.sig`) if there is one, the manifest, then move the pointer, so that no reader
        ever sees half a version. A publishing that broke off is resumed by publishing the same files under the same version again.

        Raises Rejected when the folder is not what the manifest says, Conflict when the version exists already or somebody else
        moved the pointer meanwhile, or when the layout is one that nothing can be published into.
        """

    @abstractmethod
    def unfinished(self, model_digest: str) -> str | None:
        """The version under which the same files were being published when it broke off: to go on with; None when there is none."""

    @abstractmethod
    def latest_version(self) -> str:
        """The name of the version that a night would take, damaged or not. Raises NotFound (there is none), Rejected (what says so
        cannot be read), Broken.
        """

    @abstractmethod
    def manifest(self, version: str) -> ModelManifest:
        """A version's manifest. Raises NotFound that lists the newest versions, Rejected for one that cannot be read."""

    @abstractmethod
    def point(self, version: str) -> str:
        """Make a published version the latest; returns the one that was (empty for none). Raises NotFound, Conflict (the pointer
        moved meanwhile, or does not decide and another version is the latest).
        """

    @abstractmethod
    def check(self) -> list[str]:
        """What keeps the store from being read, in plain words; empty when it can be. Changes nothing."""

    @abstractmethod
    def versions(self, limit: int | None = None) -> list[ModelListing]:
        """Whole versions, newest first by the store's own clock; the newest `limit` of them, or all."""
