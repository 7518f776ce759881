"""The build context as a tar that is the same bytes for the same files, whoever checked them out and when."""

import tarfile
from pathlib import Path
from typing import IO

from docker.utils.build import exclude_paths

from nocturne.domain.errors import Broken, Rejected

DOCKERFILE = "Dockerfile"
# 2 January 1980: the first whole day, in every time zone, that a zip file can tell, and so a wheel that is built from the context.
_TIME = 315_619_200


def write_context(folder: Path, output: IO[bytes]) -> None:
    """Write the tar of a folder, without what its `.dockerignore` leaves out. Raises Rejected when there is no Dockerfile."""
    if not (folder / DOCKERFILE).is_file():
        raise Rejected("the app has no Dockerfile, expected one in the folder that is built", advice="add app/Dockerfile")
    try:
        with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name in sorted(exclude_paths(str(folder), _ignored(folder), dockerfile=DOCKERFILE)):
                _add(tar, folder, name)
    except OSError as error:
        raise Broken(f"the build context cannot be read: {error}") from error


def _ignored(folder: Path) -> list[str]:
    file = folder / ".dockerignore"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [pattern for line in lines if (pattern := line.strip()) and not pattern.startswith("#")]


def _add(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    # Two names of one file are two files in an image; tarfile would write the second as a link.
    tar.inodes.clear()  # type: ignore[attr-defined]
    member = tar.gettarinfo(folder / name, arcname=name)
    # Sockets have no place in a tar; Docker leaves them out as well.
    if member is None or not (member.isreg() or member.isdir() or member.issym()):
        return
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = _TIME
    # Only what git keeps of a mode: the rest depends on the umask of whoever checked out.
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    if member.isreg():
        with (folder / name).open("rb") as content:
            tar.addfile(member, content)
    else:
        tar.addfile(member)
