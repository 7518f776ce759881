import hashlib
import json
from pathlib import Path

from nocturne.domain.code import CodeVersion
from nocturne.domain.errors import NotFound
from nocturne.ports.code_source import CodeSource
from tests.fakes.scripted import Scripted

Files = dict[str, bytes]


class FakeCodeSource(Scripted, CodeSource):
    """commits: commit to the app's files. refs: branch, tag or HEAD to commit. As in git, equal files give equal trees."""

    def __init__(self, files: Files | None = None) -> None:
        super().__init__()
        self.commits: dict[str, Files] = {}
        self.refs: dict[str, str] = {}
        self._versions: dict[str, CodeVersion] = {}
        if files is not None:
            self.commit(files)

    def commit(self, files: Files, subject: str = "A change", ref: str = "main") -> CodeVersion:
        """A new commit whose folder of the app holds exactly these files; `ref` and HEAD now stand for it."""
        number = len(self.commits)
        commit, tree = _sha1(f"commit {number}"), _sha1(json.dumps({path: _sha1(files[path].hex()) for path in sorted(files)}))
        version = CodeVersion(commit, tree, f"2026-11-{1 + number % 28:02d}T12:00:00Z", subject)
        self.commits[commit], self._versions[commit] = dict(files), version
        self.refs[ref] = self.refs["HEAD"] = commit
        return version

    def resolve(self, ref: str) -> CodeVersion:
        self._called("resolve")
        commit = self.refs.get(ref, ref)
        if commit not in self._versions:
            raise NotFound(f"no ref {ref!r}; there are: {', '.join(self.refs)}")
        return self._versions[commit]

    def read(self, commit: str, path: str) -> bytes:
        self._called("read")
        files = self._files(commit)
        if path not in files:
            raise NotFound(f"no file {path} at {commit[:12]}; there are: {', '.join(files)}")
        return files[path]

    def list(self, commit: str, folder: str) -> list[str]:
        self._called("list")
        prefix = "" if folder in ("", ".") else f"{folder.rstrip('/')}/"
        return sorted(path for path in self._files(commit) if path.startswith(prefix))

    def export(self, commit: str, destination: Path) -> None:
        self._called("export")
        destination.mkdir(parents=True, exist_ok=True)
        for path, content in self._files(commit).items():
            target = destination / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _files(self, commit: str) -> Files:
        if commit not in self.commits:
            raise NotFound(f"no commit {commit}")
        return self.commits[commit]


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
