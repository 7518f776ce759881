"""Rows for tables that the tests do not know: those of any revision."""

from itertools import count
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Float, Integer, MetaData, Table, insert, select

from nocturne.adapters.sql_ledger.schema import _VERSIONS

Contents = dict[str, list[dict[str, Any]]]

_numbers = count(1)
_MAKERS: dict[type, Any] = {
    Boolean: lambda number: number % 2 == 0,
    Integer: lambda number: number,
    Float: lambda number: number / 4,
    JSON: lambda number: {"ü": [number, None, 0.1], "b": {}},
}


def tables(connection: Connection) -> list[Table]:
    """All tables as the database has them, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != _VERSIONS]


def fill(connection: Connection) -> None:
    """Add two rows to every table: one with all that may be left out, one without."""
    for table in tables(connection):
        for whole in (True, False):
            number = next(_numbers)
            given = [column for column in table.columns if not _numbered(column) and (whole or not column.nullable)]
            connection.execute(insert(table).values({column.name: _value(connection, column, number) for column in given}))


def contents(connection: Connection) -> Contents:
    """Every row of every table."""
    return {
        table.name: sorted((dict(row._mapping) for row in connection.execute(select(table))), key=repr)
        for table in tables(connection)
    }


def projected(found: Contents, onto: Contents) -> Contents:
    """What is in the tables and columns that `onto` has too; it has a row in each."""
    return {name: sorted(({key: row[key] for key in rows[0]} for row in found[name]), key=repr) for name, rows in onto.items()}


def _numbered(column: Column[Any]) -> bool:
    return column.primary_key and isinstance(column.type, Integer)


def _value(connection: Connection, column: Column[Any], number: int) -> Any:
    for key in column.foreign_keys:
        return connection.execute(select(key.column).order_by(key.column).limit(1)).scalar_one()
    kind = next((kind for kind in _MAKERS if isinstance(column.type, kind)), None)
    # Text is what is left: a type that takes none fails here, and gets a maker above.
    return _MAKERS[kind](number) if kind else f"{column.name} {number} 'ü'"
