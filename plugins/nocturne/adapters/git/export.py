"""Writing the files of a commit to disk, byte for byte as they were committed.

`git archive` is not used: it leaves out what `.gitattributes` marks `export-ignore` (often the tests) and rewrites line ends, and
then what is built and tested would not be what the tree hash stands for.
"""

import errno
import os
import posixpath
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen
from typing import IO

from nocturne.adapters.git.command import Git, GitFailed
from nocturne.adapters.git.tree import EXECUTABLE, LINK, Entry, normal
from nocturne.domain.errors import Conflict, Rejected

_CHUNK = 1 << 20


def write(git: Git, entries: Sequence[Entry], destination: Path) -> None:
    """Write entries into `destination`, which appears whole or not at all; an empty folder may be there already.

    Raises Rejected when an entry would end up outside of it or is no file, Conflict when there are files, GitFailed when an
    object is missing, OSError.
    """
    faults = [fault for entry in entries for fault in _faults(entry)]
    if faults:
        raise _refused("; ".join(faults))
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
    try:
        _write_all(git, entries, partial)
        partial.chmod(0o755)
        _put_in_place(partial, destination)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, destination: Path) -> None:
    try:
        os.rename(partial, destination)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise Conflict(f"{destination} holds files already, expected no folder or an empty one") from error


def _write_all(git: Git, entries: Sequence[Entry], folder: Path) -> None:
    with git.running("cat-file", "--batch") as process:
        try:
            # Links come last: no file can be written through one.
            for entry in sorted(entries, key=lambda entry: entry.mode == LINK):
                _write_one(process, entry, folder)
        except BrokenPipeError as error:
            raise GitFailed("cat-file", b"it ended too early") from error


def _faults(entry: Entry) -> list[str]:
    if entry.kind != "blob":
        return [f"{entry.path} is a submodule, expected files"]
    if normal(entry.path) != entry.path or ".git" in entry.path.lower().split("/"):
        return [f"the path {entry.path!r} leaves the app's folder"]
    return []


def _write_one(process: Popen[bytes], entry: Entry, destination: Path) -> None:
    assert process.stdin
    assert process.stdout
    # https://git-scm.com/docs/git-cat-file#_batch_output: a line `<id> <kind> <size>`, the content, a line end.
    process.stdin.write(f"{entry.object_id}\n".encode())
    process.stdin.flush()
    header = process.stdout.readline().split()
    if len(header) != 3:
        raise GitFailed("cat-file", b"an object is missing: " + b" ".join(header))
    target = destination / entry.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode == LINK:
        _write_link(process.stdout.read(int(header[2])), entry.path, target)
    else:
        _write_file(process.stdout, int(header[2]), target, 0o755 if entry.mode == EXECUTABLE else 0o644)
    process.stdout.read(1)


def _write_file(source: IO[bytes], size: int, target: Path, mode: int) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with open(descriptor, "wb") as file:
        while size:
            chunk = source.read(min(size, _CHUNK))
            if not chunk:
                raise GitFailed("cat-file", b"it ended in the middle of a file")
            file.write(chunk)
            size -= len(chunk)


def _write_link(content: bytes, path: str, target: Path) -> None:
    aim = os.fsdecode(content)
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), aim))
    if posixpath.isabs(aim) or reached.split("/")[0] == "..":
        raise _refused(f"the link {path} -> {aim} leaves the app's folder")
    target.symlink_to(aim)


def _refused(faults: str) -> Rejected:
    return Rejected(f"the app's folder cannot be exported: {faults}", advice="keep plain files in it, and links to those alone")
