"""A database whose disk is full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.errors import Broken
from tests.integration.sql_ledger.postgresql import Server

MUCH = "x" * 200_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        os.getuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "small", folder], capture_output=True).returncode
    ):
        pytest.skip("a small disk takes the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_sqlite(small_disk: Path) -> None:
    """The write that finds no room is broken and says so; what was there stays, and smaller things go on."""
    with closing(SqlLedger.open(f"sqlite:///{small_disk}/ledger.db", SystemClock())) as ledger:
        ledger.quarantine("r-1", "reason", "run")
        (small_disk / "filler").write_bytes(b"x" * 1_500_000)
        with pytest.raises(Broken, match=r"(?s)disk is full.*make room on the database's disk"):
            _fill(ledger)
        assert ledger.quarantined()[0].reason == "reason"
        (small_disk / "filler").unlink()
        ledger.quarantine("r-2", "reason", "run")
        assert "r-2" in [item.id for item in ledger.quarantined()]


def test_postgresql(own_server: Server, small_disk: Path) -> None:
    """The same, for a server whose tables lie on that disk."""
    place = small_disk / "tables"
    place.mkdir()
    shutil.chown(place, "postgres")
    for folder in (small_disk, *small_disk.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    with closing(SqlLedger.open(own_server.url, SystemClock())) as ledger:
        own_server.run("psql", "--quiet", "--command", f"CREATE TABLESPACE small LOCATION '{place}'", "postgres")
        with Database(own_server.url).writing() as connection:
            connection.execute(text("ALTER TABLE quarantine ALTER COLUMN reason SET STORAGE EXTERNAL"))
            connection.execute(text("ALTER TABLE quarantine SET TABLESPACE small"))
        ledger.quarantine("r-1", "reason", "run")
        with pytest.raises(Broken, match=r"(?s)No space left on device.*make room on the database's disk"):
            _fill(ledger)
        assert ledger.quarantined()[0].reason == "reason"
        ledger.hold("production", "ada", "elsewhere there is room")
        assert ledger.held("production").by == "ada"


def _fill(ledger: SqlLedger) -> None:
    for number in range(100):
        ledger.quarantine(f"big-{number}", MUCH, "run")
