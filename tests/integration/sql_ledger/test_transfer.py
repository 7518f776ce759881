"""A ledger that moves from one database to another, of either kind."""

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nocturne.adapters.sql_ledger import SqlLedger, schema, transfer
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.errors import Broken, Conflict
from tests.integration.sql_ledger.night import remember
from tests.integration.sql_ledger.postgresql import Server


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A ledger in a file, with three nights."""
    url = f"sqlite:///{tmp_path}/old.db"
    _filled(url)
    return url


@pytest.fixture
def target(shared_server: Server) -> Iterator[str]:
    """A second database on the server, empty, whose language sorts unlike bytes do."""
    shared_server.run("createdb", "--template=template0", "--locale-provider=icu", "--icu-locale=de", "--locale=C", "target")
    yield shared_server.of("target")
    shared_server.run("dropdb", "--force", "target")


def _filled(url: str, nights: int = 3) -> None:
    ledger = SqlLedger.open(url, SystemClock())
    for number in range(nights):
        remember(ledger, number)
    ledger.close()


def _exported(url: str) -> bytes:
    stream = io.BytesIO()
    transfer.export(Database(url), stream)
    return stream.getvalue()


def test_the_way_there_and_back_changes_no_byte(url: str, target: str, tmp_path: Path) -> None:
    """From either database into PostgreSQL and on into a file: all three export the very same."""
    _filled(url)
    first = _exported(url)
    found = transfer.import_(Database(target), io.BytesIO(first))
    assert found.rows == {
        "deployment_events": 6,
        "deployments": 3,
        "evidence": 9,
        "holds": 3,
        "leases": 3,
        "quarantine": 3,
        "releases": 3,
    }
    assert _exported(target) == first
    back = f"sqlite:///{tmp_path}/back.db"
    transfer.import_(Database(back), io.BytesIO(first))
    assert _exported(back) == first


def test_the_moved_ledger_goes_on(old: str, target: str) -> None:
    """New rows get new numbers, of what is in force there is one, and the old answers are the same."""
    transfer.import_(Database(target), io.BytesIO(_exported(old)))
    before, after = SqlLedger(old, SystemClock()), SqlLedger.open(target, SystemClock())
    assert after.releases() == before.releases()
    assert after.changes("production") == before.changes("production")
    assert after.held("production") == before.held("production")
    remember(after, 1)
    assert after.deployments() == before.deployments(), "the same night again is nothing new"
    assert remember(after, 3).id == 4
    assert [release.id for release in after.releases()[1:]] == [release.id for release in before.releases()]
    assert len(after.quarantined()) == 4


def test_an_export_is_of_one_moment(url: str) -> None:
    """Nights that are written after its first row, before it comes to the other tables, are not in it."""
    _filled(url)
    before = _exported(url)
    stream = _Disturbed(SqlLedger(url, SystemClock()))
    transfer.export(Database(url), stream)
    assert stream.getvalue() == before
    assert _exported(url) != before


class _Disturbed(io.BytesIO):
    """With each of the first rows another night is written into the ledger."""

    def __init__(self, ledger: SqlLedger) -> None:
        super().__init__()
        self._ledger, self._nights = ledger, iter(range(100, 103))

    def write(self, line: Any) -> int:
        if line.startswith(b"[") and (number := next(self._nights, None)):
            remember(self._ledger, number)
        return super().write(line)


def test_only_an_empty_ledger_is_filled(url: str, old: str) -> None:
    """A ledger with a single row is left as it is."""
    ledger = SqlLedger.open(url, SystemClock())
    ledger.quarantine("r-1", "reason", "run")
    with pytest.raises(Conflict, match="holds 1 quarantine, expected an empty one"):
        transfer.import_(Database(url), io.BytesIO(_exported(old)))
    assert (ledger.releases(), len(ledger.quarantined())) == ([], 1)


def test_a_file_is_imported_whole_or_not_at_all(url: str, old: str) -> None:
    """Cut off anywhere, or with any line changed, it leaves the ledger empty."""
    whole = _exported(old)
    lines = whole.splitlines(keepends=True)
    damaged = [b"", whole[:-10], b"".join(lines[:-1]), b"".join(lines[:5]), b"".join([*lines[:5], *lines[6:]])]
    damaged += [whole.replace(b"schedule", b"Schedule", 1), whole.replace(b"[", b"", 1), whole + b"more\n", lines[-1]]
    for content in damaged:
        with pytest.raises(Broken, match=r"no exported ledger|damaged"):
            transfer.import_(Database(url), io.BytesIO(content))
    ledger = SqlLedger.open(url, SystemClock())
    assert (ledger.releases(), ledger.quarantined()) == ([], [])
    transfer.import_(Database(url), io.BytesIO(whole))
    assert len(ledger.releases()) == 3


def test_rows_that_the_database_would_change_undo_the_import(url: str, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back must make the same file; else nothing is imported."""
    monkeypatch.setattr(transfer, "_count_on", lambda connection: connection.exec_driver_sql("UPDATE holds SET reason = ''"))
    with pytest.raises(Broken, match="would hold"):
        transfer.import_(Database(url), io.BytesIO(_exported(old)))
    assert SqlLedger.open(url, SystemClock()).releases() == []


def test_another_revision_is_refused(url: str, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another revision, and a database of one, is told by its name."""
    file = _exported(old)
    with pytest.raises(Broken, match="holds revision base, this program exports 0001"):
        _exported(url)
    monkeypatch.setattr(schema, "HEAD", "0000")
    with pytest.raises(Broken, match="holds revision 0001, this program knows revisions up to 0000"):
        _exported(old)
    with pytest.raises(Broken, match="the file holds revision 0001, this program knows 0000"):
        transfer.import_(Database(url), io.BytesIO(file))


def test_an_import_that_is_killed_leaves_an_empty_ledger(url: str, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After SIGKILL between the last row and the end nothing is there, and the next import need not wait."""
    file = _exported(old)
    reading, writing = os.pipe()

    def stop_here(_: object) -> None:
        os.write(writing, b"filled")
        signal.pause()

    child = os.fork()
    if child == 0:
        monkeypatch.setattr(transfer, "_count_on", stop_here)
        transfer.import_(Database(url), io.BytesIO(file))
    assert os.read(reading, 6) == b"filled"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    ledger = SqlLedger.open(url, SystemClock())
    assert ledger.releases() == []
    ledger.close()
    assert transfer.import_(Database(url), io.BytesIO(file)).rows["releases"] == 3


def test_a_large_ledger_moves_in_little_memory(url: str, target: str) -> None:
    """More rows than are held together arrive in their order."""
    ledger = SqlLedger.open(url, SystemClock())
    with Database(url).writing() as connection:
        rows = [{"subject_id": f"r-{number}", "reason": "x", "run_id": "", "since": ""} for number in range(1234)]
        connection.execute(transfer.metadata.tables["quarantine"].insert(), rows)
    found = transfer.import_(Database(target), io.BytesIO(_exported(url)))
    assert found.rows["quarantine"] == 1234
    assert SqlLedger(target, SystemClock()).quarantined() == ledger.quarantined()
