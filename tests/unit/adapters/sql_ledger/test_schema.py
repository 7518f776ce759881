import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from nocturne.adapters.sql_ledger import SqlLedger, schema
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.sql_ledger.tables import metadata
from nocturne.domain.errors import Broken
from tests.fakes import FakeClock
from tests.fakes.inputs import some_inputs


def test_the_known_revision_is_the_newest_there_is() -> None:
    """HEAD, which spares importing Alembic, is the last revision in the folder."""
    assert ScriptDirectory.from_config(schema.alembic_config()).get_current_head() == schema.HEAD


def test_the_migrations_make_exactly_the_tables(ledger: SqlLedger, url: str) -> None:
    """A migrated database differs in nothing from the tables that the code uses."""
    with create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "nocturne_ledger_version"})
        assert compare_metadata(context, metadata) == []


def test_opening_makes_folder_and_tables_and_keeps_what_is_there(url: str, tmp_path: Path, clock: FakeClock) -> None:
    """The first opening makes everything; the next one changes nothing."""
    deeper = url.replace("ledger.db", "not/yet/there/ledger.db")
    release = SqlLedger.open(deeper, clock).open_release(some_inputs(), {})
    assert SqlLedger.open(deeper, clock).releases() == [release]
    with create_engine(deeper).connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_opening_waits_for_others_to_let_go_of_a_new_file(url: str, tmp_path: Path, clock: FakeClock) -> None:
    """A database that somebody has locked before it logs ahead is opened as soon as they are done."""
    with closing(sqlite3.connect(tmp_path / "ledger.db", check_same_thread=False)) as other:
        other.execute("CREATE TABLE others (id INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        Timer(0.3, other.rollback).start()
        assert SqlLedger.open(url, clock).releases() == []


def test_going_back_removes_every_table_and_forward_makes_them_again(ledger: SqlLedger, url: str) -> None:
    """A downgrade leaves an empty database, which can be migrated once more."""
    database = Database(url)
    schema.downgrade(database)
    assert inspect(create_engine(url)).get_table_names() == ["nocturne_ledger_version"]
    assert schema.current(database) is None
    ledger.migrate()
    assert ledger.releases() == []


def test_a_newer_database_is_left_alone(ledger: SqlLedger, url: str) -> None:
    """A database of a newer program is broken with both revisions named, and nothing is changed."""
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE nocturne_ledger_version SET version_num = '0999'"))
    with pytest.raises(Broken, match=f"revision 0999, this program knows revisions up to {schema.HEAD}"):
        ledger.migrate()
    assert schema.current(Database(url)) == "0999"


def test_looking_is_quick_and_imports_no_alembic(ledger: SqlLedger, url: str) -> None:
    """An up-to-date ledger opens in a few milliseconds, without Alembic."""
    program = "import sys; from nocturne.adapters.sql_ledger import SqlLedger; from tests.fakes.clock import FakeClock\n"
    program += f"SqlLedger.open({url!r}, FakeClock()).releases(); print('alembic' in sys.modules)"
    code = f"import sys; sys.path[:0] = {sys.path!r}; {program}"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "False"
    took = []
    for _ in range(20):
        started = time.perf_counter()
        ledger.migrate()
        took.append(time.perf_counter() - started)
    # The quickest: others are held up by what else this machine does.
    assert min(took) < 0.05


def test_the_revisions_can_be_written_out_as_sql(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a connection Alembic prints the statements, for administrators who run them by hand."""
    from alembic import command

    command.upgrade(schema.alembic_config(), "head", sql=True)
    assert "CREATE TABLE releases" in capsys.readouterr().out


def test_a_ledger_in_memory_lives_as_long_as_its_object(clock: FakeClock) -> None:
    """`sqlite://` needs no file, which is handy in tests; two of them share nothing."""
    first, second = (SqlLedger.open("sqlite://", clock) for _ in range(2))
    first.open_release(some_inputs(), {})
    assert (len(first.releases()), len(second.releases())) == (1, 0)
