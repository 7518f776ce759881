"""What every revision must do, those that come later included: they need no test of their own for it."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Inspector, inspect, text

from nocturne.adapters.sql_ledger import SqlLedger, schema
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.sql_ledger.tables import metadata
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.errors import Broken, Conflict, NotFound
from tests.integration.sql_ledger.any_rows import contents, fill, projected
from tests.integration.sql_ledger.future import BACK, GOOD, NEXT, next_revision
from tests.integration.sql_ledger.processes import at_once


def walk(database: Database) -> None:
    """Go every step forward, back and forward again, with rows that were written before and after it."""
    for older, newer in pairwise([schema.BASE, *schema.revisions()]):
        written = _filled(database, older)
        _forward(database, newer)
        schema.downgrade(database, older)
        assert _contents(database) == written, f"{newer} and back changed what {older} had written"
        _forward(database, newer)
        after = _filled(database, newer)
        schema.downgrade(database, older)
        assert _contents(database) == projected(after, written), f"back from {newer} lost what {older} can hold"
        _forward(database, newer)
        assert projected(_contents(database), written) == projected(after, written), f"{newer} does not take up what it left"


def _forward(database: Database, revision: str) -> None:
    with database.migrating() as connection:
        command.upgrade(schema.alembic_config(connection), revision)


def _filled(database: Database, revision: str) -> dict[str, Any]:
    if revision == schema.BASE:
        return {}
    with database.writing() as connection:
        fill(connection)
    return _contents(database)


def _contents(database: Database) -> dict[str, Any]:
    with database.reading() as connection:
        return contents(connection)


def test_every_revision_goes_forward_and_back_with_its_rows(url: str) -> None:
    """No step in either direction loses or changes a row that both sides of it can hold."""
    walk(Database(url))


def test_a_revision_that_makes_a_table_anew_keeps_what_refers_to_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision yet to be written, which alters a table that others refer to, fares as well."""
    next_revision(tmp_path / "next", monkeypatch)
    walk(Database(url))


@pytest.mark.parametrize("loses", ["DELETE FROM leases", "UPDATE quarantine SET reason = ''"])
def test_a_revision_that_loses_rows_is_noticed(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loses: str) -> None:
    """The walk itself can fail: on its way back this revision changes rows that were not its own."""
    next_revision(tmp_path / "next", monkeypatch, downgrade=f"{BACK}    op.execute({loses!r})\n")
    with pytest.raises(AssertionError, match=f"{NEXT} and back changed"):
        walk(Database(url))


def test_the_migrations_make_exactly_the_tables(ledger: SqlLedger, url: str, tmp_path: Path) -> None:
    """Migrated tables are those that the code would make: columns, keys, indexes with their conditions, and numbers."""
    database = Database(url)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema._VERSIONS, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        migrated = _described(connection)
    schema.downgrade(database)
    assert schema.current(database) is None
    with database.writing() as connection:
        metadata.create_all(connection)
        assert _described(connection) == migrated
        metadata.drop_all(connection)
    ledger.migrate()
    assert ledger.releases() == []


def _described(connection: Connection) -> dict[str, Any]:
    found = inspect(connection)
    return {name: _table(found, name, connection) for name in metadata.tables}


def _table(found: Inspector, name: str, connection: Connection) -> dict[str, Any]:
    numbered = connection.dialect.name == "sqlite" and "AUTOINCREMENT" in str(
        connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}).scalar()
    )
    return {
        "columns": [{**column, "type": str(column["type"])} for column in found.get_columns(name)],
        "primary key": found.get_pk_constraint(name),
        "foreign keys": found.get_foreign_keys(name),
        "unique": sorted(found.get_unique_constraints(name), key=repr),
        "indexes": [_index(index) for index in found.get_indexes(name)],
        "never a number twice": numbered,
    }


def _index(found: Any) -> dict[str, Any]:
    return {**found, "dialect_options": {key: str(value) for key, value in found.get("dialect_options", {}).items()}}


@pytest.mark.parametrize("fails", ["SELECT * FROM nowhere", "INSERT INTO leases VALUES (NULL, '', '', '')"])
def test_a_failed_revision_leaves_the_database_as_it_was(
    ledger: SqlLedger, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """Tables, rows and revision are those from before, and the ledger goes on working; so on the way back."""
    before = _filled(Database(url), schema.HEAD)
    head = schema.HEAD
    with monkeypatch.context() as patch:
        next_revision(tmp_path / "forward", patch, upgrade=f"{GOOD}    op.execute({fails!r})\n")
        with pytest.raises(Broken):
            schema.upgrade(Database(url))
        assert schema.current(Database(url)) == head
    assert _contents(Database(url)) == before
    ledger.quarantine("r-1", "reason", "run")
    next_revision(tmp_path / "back", monkeypatch, downgrade=f"{BACK}    op.execute({fails!r})\n")
    schema.upgrade(Database(url))
    after = _contents(Database(url))
    with pytest.raises(Broken):
        schema.downgrade(Database(url), head)
    assert (schema.current(Database(url)), _contents(Database(url))) == (NEXT, after)


def test_rows_that_would_refer_to_nothing_stop_a_revision(
    ledger: SqlLedger, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While tables are made anew SQLite does not watch who refers to whom; at the end somebody does."""
    before = _filled(Database(url), schema.HEAD)
    next_revision(tmp_path / "next", monkeypatch, upgrade="\n    op.execute('DELETE FROM deployments')\n")
    with pytest.raises(Broken, match="deployment_events"):
        schema.upgrade(Database(url))
    assert _contents(Database(url)) == before


def test_a_revision_while_others_read_and_write(
    ledger: SqlLedger, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes bring the tables forward while four others of the old program use them: every write is there afterwards."""
    next_revision(tmp_path / "next", monkeypatch)

    def work(number: int) -> int:
        if number < 2:
            schema.upgrade(Database(url))
            return 0
        own = SqlLedger(url, SystemClock())
        for index in range(30):
            own.quarantine(f"{number}-{index}", "reason", "run")
            own.releases()
        return len(own.quarantined(*[f"{number}-{index}" for index in range(30)]))

    assert at_once(6, work) == [0, 0, 30, 30, 30, 30]
    assert schema.current(Database(url)) == NEXT


def test_a_newer_database_is_left_alone(ledger: SqlLedger, url: str) -> None:
    """A database of a newer program is broken with both revisions named, whatever is asked, and nothing is changed."""
    database = Database(url)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {schema._VERSIONS} SET version_num = '0999'"))
    for ask in (ledger.migrate, lambda: schema.upgrade(database), lambda: schema.downgrade(database)):
        with pytest.raises(Broken, match=f"revision 0999, this program knows revisions up to {schema.HEAD}"):
            ask()
    assert schema.current(database) == "0999"


def test_only_an_older_revision_is_behind(url: str) -> None:
    """Going back to where one is, from an empty database, or to a revision that there is not is refused by name."""
    database = Database(url)
    with pytest.raises(Conflict, match="holds revision base"):
        schema.downgrade(database)
    SqlLedger.open(url, SystemClock())
    with pytest.raises(Conflict, match=f"holds revision {schema.HEAD}, expected a newer one than {schema.HEAD}"):
        schema.downgrade(database, schema.HEAD)
    with pytest.raises(NotFound, match="no revision '0000'; there are: base, 0001"):
        schema.downgrade(database, "0000")
    assert schema.current(database) == schema.HEAD
