"""A whole ledger from a database into a file, and from a file into an empty database of either kind."""

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any, BinaryIO

from sqlalchemy import Connection, Table, func, insert, select, text

from nocturne.adapters.sql_ledger import schema
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.sql_ledger.portable import PortableWriter, Totals, checked, rows
from nocturne.adapters.sql_ledger.tables import metadata
from nocturne.adapters.sql_ledger.words import Words
from nocturne.domain.errors import Broken, Conflict

_AT_ONCE = 500  # rows that are in memory together


def export(database: Database, stream: BinaryIO) -> Totals:
    """Write every row as it was at one moment; others may go on writing. Raises Broken, also for a revision that is not HEAD."""
    found = schema.current(database)
    if found != schema.HEAD:
        schema.refuse_newer(found, database.name)
        raise Broken(
            f"the ledger at {database.name} holds revision {found or schema.BASE}, this program exports {schema.HEAD}",
            advice="`nocturne ledger upgrade` first, or export it with the version of Nocturne that goes with it",
        )
    with database.snapshot() as connection:
        return _written(connection, stream)


def import_(database: Database, stream: BinaryIO) -> Totals:
    """Fill an empty ledger, all or nothing; tables are made where there are none. stream: is read twice, from its beginning.

    Afterwards the database is read back: it must make the very same file. Raises Conflict for a ledger with rows, Broken for a file
    that is not whole or not of this revision.
    """
    wanted = checked(stream, schema.HEAD)
    schema.upgrade(database)
    stream.seek(0)
    with database.writing() as connection:
        _require_empty(connection, database.name)
        for table, values in _batches(stream):
            connection.execute(insert(table), values)
        _count_on(connection)
        found = _written(connection, None)
        if found != wanted:
            raise Broken(
                f"the ledger at {database.name} would hold {found}, expected {wanted}",
                advice="nothing was changed; keep the file and report it",
            )
    return found


def _written(connection: Connection, stream: BinaryIO | None) -> Totals:
    writer = PortableWriter(stream, schema.HEAD, [table.name for table in metadata.sorted_tables])
    for table in metadata.sorted_tables:
        query = select(table).order_by(*_keys(connection, table)).execution_options(yield_per=_AT_ONCE)
        for row in connection.execute(query):
            writer.row(table.name, dict(row._mapping))
    return writer.end()


def _keys(connection: Connection, table: Table) -> list[Any]:
    # By bytes, as SQLite sorts: a server has a language of its own.
    by_bytes = "C" if connection.dialect.name == "postgresql" else "BINARY"
    return [key.collate(by_bytes) if isinstance(key.type, Words) else key for key in table.primary_key]


def _batches(stream: BinaryIO) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    for name, group in groupby(rows(stream), key=lambda row: row[0]):
        while batch := [values for _, values in islice(group, _AT_ONCE)]:
            yield metadata.tables[name], batch


def _require_empty(connection: Connection, name: str) -> None:
    counts = {table.name: connection.scalar(select(func.count()).select_from(table)) for table in metadata.sorted_tables}
    if there := ", ".join(f"{count} {table}" for table, count in counts.items() if count):
        raise Conflict(
            f"the ledger at {name} holds {there}, expected an empty one",
            advice="import into a new database: two ledgers cannot be one",
        )


def _count_on(connection: Connection) -> None:
    """SQLite sees to it by itself that a new row gets a new number; PostgreSQL's sequences know nothing of given numbers."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        if (key := table.autoincrement_column) is not None and (highest := connection.scalar(select(func.max(key)))):
            setting = text("SELECT setval(pg_get_serial_sequence(:table, :key), :highest)")
            connection.execute(setting, {"table": table.name, "key": key.name, "highest": highest})
