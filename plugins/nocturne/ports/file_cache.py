"""Files by what is in them, on this machine."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path


class FileCache(ABC):
    """A content-addressed cache that anyone may delete at any time."""

    @abstractmethod
    def path(self, sha256: str) -> Path | None:
        """The cached file with this digest (`sha256:...`), None when there is none."""

    @abstractmethod
    def put(self, sha256: str, writer: Callable[[Path], None]) -> Path:
        """The cached file; `writer` makes it when it is missing, once even when two processes ask. Its errors go on."""

    @abstractmethod
    def scratch(self, purpose: str) -> Path:
        """A new empty folder for short use, on the same file system; the caller removes it."""
