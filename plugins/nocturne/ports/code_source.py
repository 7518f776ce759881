"""Where the app's code comes from."""

from abc import ABC, abstractmethod
from pathlib import Path

from nocturne.domain.code import CodeVersion


class CodeSource(ABC):
    """A repository with the app in one of its folders. Every path is relative to that folder."""

    @abstractmethod
    def resolve(self, ref: str) -> CodeVersion:
        """The code version that a branch, tag or commit stands for now. Raises NotFound, or Broken when out of reach."""

    @abstractmethod
    def read(self, commit: str, path: str) -> bytes:
        """One file at a commit. Raises NotFound when there is none."""

    @abstractmethod
    def list(self, commit: str, folder: str) -> list[str]:
        """The paths of all files below a folder at a commit, sorted; empty when there is no such folder."""

    @abstractmethod
    def export(self, commit: str, destination: Path) -> None:
        """Write the app's files at a commit into `destination` (made if missing), and nothing else."""
