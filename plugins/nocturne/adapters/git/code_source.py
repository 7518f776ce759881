"""The port's methods, read from a copy of the repository in the cache."""

import builtins
import difflib
import re
from datetime import UTC, datetime
from pathlib import Path

from nocturne.adapters.git import export, tree
from nocturne.adapters.git.command import Git
from nocturne.adapters.git.mirror import Mirror
from nocturne.adapters.git.remote import remote
from nocturne.domain.code import CodeVersion
from nocturne.domain.errors import Broken, NotFound
from nocturne.ports.code_source import CodeSource

_FULL = re.compile(r"[0-9a-f]{40}")
_NAMED = 8  # how many names a message lists


class GitCodeSource(CodeSource):
    """A git repository with the app in one of its folders.

    repository: a URL or the path of a clone, whose uncommitted changes do not count. folder: the app's, `.` for the whole
    repository. cache: a folder of this machine that anyone may delete at any time.
    """

    def __init__(self, repository: str, folder: str, cache: Path) -> None:
        self._remote = remote(repository)
        self._folder = folder
        self._mirror = Mirror(self._remote, cache)

    def resolve(self, ref: str) -> CodeVersion:
        """The code version that a branch, tag or commit stands for now; a branch before a tag of the same name.

        `HEAD` is the default branch, or what is checked out in a clone. Nothing is fetched for a full commit that is known.
        """
        commit = self._commit(ref)
        return self._mirror.reading(lambda git: self._version(git, commit))

    def read(self, commit: str, path: str) -> bytes:
        """One file at a commit, exactly as it was committed."""
        commit = self._commit(commit)
        return self._mirror.reading(lambda git: self._content(git, commit, path))

    def list(self, commit: str, folder: str) -> list[str]:
        """The paths of all files below a folder at a commit, relative to the app's folder, sorted."""
        commit = self._commit(commit)
        below = tree.normal(folder)
        found = self._mirror.reading(lambda git: self._files(git, commit, folder))
        return [path if below == "." else f"{below}/{path}" for path in (entry.path for entry in found or [])]

    def export(self, commit: str, destination: Path) -> None:
        """Write the app's files into `destination`, which appears whole or not at all.

        Raises Conflict when there are files already, Rejected for links that leave the app's folder and for submodules.
        """
        commit = self._commit(commit)
        try:
            self._mirror.reading(lambda git: export.write(git, tree.files(git, self._app(git, commit)), destination))
        except OSError as error:
            raise Broken(f"{destination} cannot be written: {error}", advice="check its rights and the room on its disk") from error

    def _commit(self, ref: str) -> str:
        # A full commit may be unknown here: the worker has an empty disk, or has not fetched since.
        full = _FULL.fullmatch(ref)
        known = self._mirror.commit(ref) if full else None
        if known:
            return known
        self._mirror.refresh()
        found = self._named(ref)
        if found is None and full:
            self._mirror.fetch_commit(ref)
            found = self._mirror.commit(ref)
        if found is None:
            raise self._unknown(ref)
        return found

    def _named(self, ref: str) -> str | None:
        # An expression that begins otherwise would be an option, or a search through the messages of commits.
        if not ref or ref.startswith(("-", ":")):
            return None
        return self._mirror.commit(f"refs/heads/{ref}") or self._mirror.commit(ref)

    def _unknown(self, ref: str) -> NotFound:
        listing = ("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags")
        names = self._mirror.reading(lambda git: git.run(*listing)).decode(errors="replace").split()
        near = difflib.get_close_matches(ref, names, n=_NAMED, cutoff=0.5) or names[:_NAMED]
        there = f"the nearest are: {', '.join(near)}" if near else "it has no branches and no tags"
        return NotFound(f"{self._remote} has no branch, tag or commit {ref!r}; {there}", advice="push it, or correct the name")

    def _version(self, git: Git, commit: str) -> CodeVersion:
        about = git.run("show", "--no-patch", "--no-show-signature", "--format=%ct%x00%s", commit)
        seconds, _, subject = about.decode(errors="replace").rstrip("\n").partition("\0")
        committed_at = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return CodeVersion(commit, self._app(git, commit), committed_at, subject)

    def _app(self, git: Git, commit: str) -> str:
        path = tree.normal(self._folder)
        found = tree.entry(git, commit, path) if path else None
        if found is None or found.kind != "tree":
            there = sorted({file.path.partition("/")[0] for file in tree.files(git, commit) if "/" in file.path})
            raise NotFound(
                f"{self._remote} has no folder {self._folder!r} at {commit[:12]}; there are: {', '.join(there) or 'none'}",
                advice="correct the app's folder in the configuration",
            )
        return found.object_id

    def _files(self, git: Git, commit: str, folder: str) -> builtins.list[tree.Entry] | None:
        app, path = self._app(git, commit), tree.normal(folder)
        found = tree.entry(git, app, path) if path else None
        return tree.files(git, found.object_id) if found and found.kind == "tree" else None

    def _content(self, git: Git, commit: str, path: str) -> bytes:
        app, plain = self._app(git, commit), tree.normal(path)
        found = tree.entry(git, app, plain) if plain else None
        if found is None or found.kind != "blob" or found.mode == tree.LINK:
            files = [entry.path for entry in tree.files(git, app) if entry.kind == "blob" and entry.mode != tree.LINK]
            near = ", ".join(difflib.get_close_matches(path, files, n=_NAMED, cutoff=0.5) or files[:_NAMED]) or "none"
            raise NotFound(f"no file {path!r} in {self._folder} at {commit[:12]}; the nearest are: {near}")
        return git.run("cat-file", "blob", found.object_id)
