"""Rows of evidence."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from nocturne.adapters.sql_ledger.tables import evidence
from nocturne.domain.records import Evidence, Subject


def record(connection: Connection, learned: Evidence) -> None:
    """Write what was learned, in place of what was known under the same subject and key."""
    connection.execute(delete(evidence).where(evidence.c.subject == learned.subject, evidence.c.key == learned.key))
    connection.execute(insert(evidence).values(asdict(learned)))


def recalled(connection: Connection, subject: str, key: str) -> Evidence | None:
    """What is known under a subject and key."""
    row = connection.execute(select(evidence).where(evidence.c.subject == subject, evidence.c.key == key)).one_or_none()
    return None if row is None else Evidence(**dict(row._mapping) | {"subject": Subject(row.subject)})
