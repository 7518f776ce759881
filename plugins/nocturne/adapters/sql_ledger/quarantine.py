"""Rows of quarantine. What was lifted stays as history."""

from sqlalchemy import Connection, insert, select, update

from nocturne.adapters.sql_ledger.tables import quarantine
from nocturne.domain.records import Quarantine

_IN_FORCE = quarantine.c.lifted_at.is_(None)


def add(connection: Connection, entry: Quarantine) -> None:
    """Write an entry, unless one for that id is in force: the first reason stays."""
    if not in_force(connection, [entry.id]):
        values = {"subject_id": entry.id, "reason": entry.reason, "run_id": entry.run_id, "since": entry.since}
        connection.execute(insert(quarantine).values(values))


def in_force(connection: Connection, subject_ids: list[str]) -> list[Quarantine]:
    """Those of the given ids that are in quarantine, oldest first; all that are for no ids."""
    query = select(quarantine).where(_IN_FORCE).order_by(quarantine.c.number)
    if subject_ids:
        query = query.where(quarantine.c.subject_id.in_(subject_ids))
    return [Quarantine(row.subject_id, row.reason, row.run_id, row.since) for row in connection.execute(query)]


def lift(connection: Connection, subject_id: str, now: str) -> bool:
    """False when it was not in quarantine."""
    entry = update(quarantine).where(_IN_FORCE, quarantine.c.subject_id == subject_id)
    return connection.execute(entry.values(lifted_at=now)).rowcount > 0
