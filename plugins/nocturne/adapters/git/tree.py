"""What stands in a commit: folders and files by their object ids."""

import os
from dataclasses import dataclass
from pathlib import PurePosixPath

from nocturne.adapters.git.command import Git

LINK = "120000"
EXECUTABLE = "100755"


@dataclass(frozen=True)
class Entry:
    """One line of a tree. mode: `100644`, `100755`, `120000` (link), `040000` (folder) or `160000` (submodule).

    Source: https://git-scm.com/docs/git-ls-tree#_output_format
    """

    mode: str
    kind: str
    object_id: str
    path: str


def entry(git: Git, commit: str, path: str) -> Entry | None:
    """What stands at a path, None for nothing. `.` is the whole repository. Raises GitFailed."""
    if path == ".":
        root = git.run("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()
        return Entry("040000", "tree", root, ".")
    found = _entries(git.run("ls-tree", "-z", "--full-tree", commit, path))
    return found[0] if found else None


def files(git: Git, tree: str) -> list[Entry]:
    """All files, links and submodules below a folder, with paths relative to it, sorted. Raises GitFailed."""
    return sorted(_entries(git.run("ls-tree", "-r", "-z", "--full-tree", tree)), key=lambda found: found.path)


def normal(*parts: str) -> str | None:
    """A path as git has it, `.` for the top; None when it leaves its folder."""
    path = PurePosixPath(*parts)
    inside = not any(PurePosixPath(part).is_absolute() for part in parts) and ".." not in path.parts
    return str(path) if inside else None


def _entries(listing: bytes) -> list[Entry]:
    lines = os.fsdecode(listing).split("\0")
    return [_entry(line) for line in lines if line]


def _entry(line: str) -> Entry:
    about, _, path = line.partition("\t")
    mode, kind, object_id = about.split(" ")
    return Entry(mode, kind, object_id, path)
