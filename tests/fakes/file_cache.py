import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from nocturne.ports.file_cache import FileCache
from tests.fakes.scripted import Scripted


class FakeFileCache(Scripted, FileCache):
    """A plain folder, for one process. It trusts the writer: checking digests is the real cache's task.

    reserved: the bytes of what was missing each time that room was asked for.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.reserved: list[int] = []
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path | None:
        self._called("path")
        return self._file(sha256) if self._file(sha256).exists() else None

    def reserve(self, sizes: Mapping[str, int]) -> None:
        self._called("reserve")
        self.reserved.append(sum(size for sha256, size in sizes.items() if not self._file(sha256).exists()))

    def put(self, sha256: str, writer: Callable[[Path], None], *, checked: bool = False) -> Path:
        self._called("put")
        if not self._file(sha256).exists():
            self.calls["written"] += 1
            writer(self._file(sha256))
        return self._file(sha256)

    def scratch(self, purpose: str) -> Path:
        self._called("scratch")
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=self._folder))

    def clear(self) -> None:
        """What a worker with an empty disk has."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()

    def _file(self, sha256: str) -> Path:
        return self._folder / sha256.removeprefix("sha256:")
