"""A PostgreSQL server of the tests' own, on a socket in a folder of theirs and no port."""

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_DEBIAN = "/usr/lib/postgresql/*/bin/initdb"  # Debian keeps it out of the path


@dataclass(frozen=True)
class Server:
    """A server that can be stopped and started again. folder: of its socket, its log and its data."""

    binaries: Path
    folder: Path

    @property
    def url(self) -> str:
        """Of its first database."""
        return self.of("postgres")

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / ".s.PGSQL.5432"

    def of(self, database: str, role: str = "nocturne") -> str:
        """The URL of one of its databases."""
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self.folder), safe='')}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        listening = f"-c listen_addresses='' -k {self.folder} -F"
        self.run("pg_ctl", "start", "--wait", "--log", str(self.folder / "log"), "--options", listening, data=True)

    def stop(self) -> None:
        """As a crash does: no connection is told anything, and the next start recovers."""
        self.run("pg_ctl", "stop", "--mode=immediate", "--wait", data=True)

    def run(self, program: str, *arguments: str, data: bool = False) -> str:
        """What one of PostgreSQL's programs prints."""
        folder = ["-D", str(self.folder / "data")] if data else ["-h", str(self.folder), "-U", "nocturne"]
        command = [str(self.binaries / program), *folder, *arguments]
        # pg_ctl's server inherits what it prints to: a pipe would stay open as long as it lives.
        out = subprocess.DEVNULL if data else subprocess.PIPE
        return subprocess.run(command, check=True, cwd=self.folder, user=_user(), stdout=out, text=True).stdout or ""


def programs() -> Path | None:
    """Where PostgreSQL's programs are, None where it is not installed."""
    found = shutil.which("initdb") or next(iter(sorted(glob.glob(_DEBIAN), reverse=True)), None)
    return Path(found).resolve().parent if found else None


@contextmanager
def server(binaries: Path) -> Iterator[Server]:
    """A new, empty server; it is gone afterwards."""
    # A socket's path has room for 107 bytes, so pytest's long folders will not do.
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    if user := _user():
        shutil.chown(folder, user)
    made = Server(binaries, folder)
    try:
        made.run("initdb", "--no-sync", "--auth=trust", "--username=nocturne", "--encoding=UTF8", data=True)
        made.start()
        try:
            yield made
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                made.stop()
    finally:
        shutil.rmtree(folder)


def _user() -> str | None:
    return "postgres" if os.getuid() == 0 else None  # it refuses to run as root
