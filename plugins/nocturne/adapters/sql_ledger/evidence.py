"""Rows of evidence."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from nocturne.adapters.sql_ledger.tables import evidence
from nocturne.domain.records import Evidence, Subject


def record(connection: Connection, learned: Evidence) -> None:
    """Write what was learned, in place of what was known under the same subject and key."""
    connection.execute(delete(evidence).where(evidence.c.subject == learned.subject, evidence.c.key == learned.key))
    connection.execute(insert(evidence).values(asdict(learned)))


def recalled(connection: Connection, subject: str, key: str) -> Evidence | None:
    """What is known under a subject and key."""
    row = connection.execute(select(evidence).where(evidence.c.subject == subject, evidence.c.key == key)).one_or_none()
    return None if row is None else _evidence(row)


def newest(connection: Connection, subject: str, beginning: str) -> Evidence | None:
    """What was learned last under a subject and a key that begins so."""
    # LIKE minds the case in one database and not in the other.
    begins = func.substr(evidence.c.key, 1, len(beginning)) == beginning
    query = select(evidence).where(evidence.c.subject == subject, begins).order_by(evidence.c.recorded_at.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _evidence(row)


def _evidence(row: Row[Any]) -> Evidence:
    return Evidence(**dict(row._mapping) | {"subject": Subject(row.subject)})
