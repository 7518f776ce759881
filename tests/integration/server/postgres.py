"""A PostgreSQL server as the stack has it: a port, a superuser with a password, and passwords for everybody."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from tests.integration.sql_ledger.postgresql import programs
from tests.ports import free_port

SUPERUSER_PASSWORD = "a password, with 'quotes' in it"


class Postgres:
    """Its data is there from the beginning; it runs between `start` and `stop`."""

    def __init__(self, folder: Path, binaries: Path, owner: str | None) -> None:
        self.folder, self._binaries, self._owner = folder, binaries, owner
        self.port = free_port()
        self.log = folder / "log"
        self.password_file = folder / "password"
        self.password_file.write_text(SUPERUSER_PASSWORD + "\n")
        self._run("initdb", "--no-sync", "--auth=scram-sha-256", "--username=postgres", f"--pwfile={self.password_file}")

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -F -c log_statement=all"
        self._run("pg_ctl", "start", "--wait", "--log", str(self.log), "--options", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate", "--wait")

    def conninfo(self, user: str, password: str, database: str = "postgres") -> str:
        """What libpq signs in with."""
        return make_conninfo(host="127.0.0.1", port=self.port, user=user, password=password, dbname=database)

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._binaries / program, "-D", self.folder / "data", *arguments]
        subprocess.run(command, check=True, cwd=self.folder, user=self._owner, stdout=subprocess.DEVNULL)


@contextmanager
def new_postgres() -> Iterator[Postgres]:
    """One that is not started yet; it is gone afterwards."""
    binaries = programs()
    assert binaries is not None, "PostgreSQL is not installed"
    folder = Path(tempfile.mkdtemp(prefix="server-"))
    try:
        owner = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
        if owner:
            shutil.chown(folder, owner)
        yield Postgres(folder, binaries, owner)
    finally:
        shutil.rmtree(folder)
