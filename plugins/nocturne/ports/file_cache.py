"""Files by what is in them, on this machine."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path


class FileCache(ABC):
    """A content-addressed cache that anyone may delete at any time, and that makes room for itself.

    What `path` or `put` returned stays for as long as this object lives, whatever other processes make room for.
    """

    @abstractmethod
    def path(self, sha256: str) -> Path | None:
        """The cached file with this digest (`sha256:...`), None when there is none. Counts as a use of it."""

    @abstractmethod
    def reserve(self, sizes: Mapping[str, int]) -> None:
        """Make room for these files (digest to bytes) as far as they are missing, by removing those used least recently.

        Raises Broken, and removes nothing, when the disk cannot hold them even so.
        """

    @abstractmethod
    def put(self, sha256: str, writer: Callable[[Path], None], *, checked: bool = False) -> Path:
        """The cached file; `writer` makes it when it is missing, once even when two processes ask. Its errors go on.

        checked: the writer itself makes sure of the digest, which need not be computed twice then.
        """

    @abstractmethod
    def scratch(self, purpose: str) -> Path:
        """A new empty folder for short use, on the same file system; the caller removes it."""
