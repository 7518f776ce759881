"""A PostgreSQL server of the tests' own, on a socket in a folder of theirs and no port."""

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

_DEBIAN = "/usr/lib/postgresql/*/bin/initdb"  # Debian keeps it out of the path


def programs() -> Path | None:
    """Where PostgreSQL's programs are, None where it is not installed."""
    found = shutil.which("initdb") or next(iter(sorted(glob.glob(_DEBIAN), reverse=True)), None)
    return Path(found).resolve().parent if found else None


@contextmanager
def server(binaries: Path) -> Iterator[str]:
    """The URL of a new, empty server; it is gone afterwards."""
    # A socket's path has room for 107 bytes, so pytest's long folders will not do.
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run([binaries / program, "-D", data, *arguments], check=True, cwd=folder, user=user, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "--no-sync", "--auth=trust", "--username=nocturne", "--encoding=UTF8")
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "--options", f"-c listen_addresses='' -k {folder} -F")
        try:
            yield f"postgresql+psycopg://nocturne@/postgres?host={quote(str(folder), safe='')}"
        finally:
            run("pg_ctl", "stop", "--mode=immediate", "--wait")
    finally:
        shutil.rmtree(folder)
