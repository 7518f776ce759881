"""Rows of holds. What was lifted stays as history, with who lifted it."""

from sqlalchemy import Connection, insert, select, update

from nocturne.adapters.sql_ledger.tables import holds
from nocturne.domain.records import Hold

_IN_FORCE = holds.c.lifted_at.is_(None)


def put(connection: Connection, hold: Hold) -> Hold:
    """The hold in force from now on. The one before it is lifted; the very same again changes nothing (a retried step)."""
    before = in_force(connection, hold.environment)
    if before is not None and (before.by, before.reason) == (hold.by, hold.reason):
        return before
    lift(connection, hold.environment, hold.by, hold.since)
    values = {"environment": hold.environment, "set_by": hold.by, "reason": hold.reason, "set_at": hold.since}
    connection.execute(insert(holds).values(values))
    return hold


def in_force(connection: Connection, environment: str) -> Hold | None:
    """The hold on an environment."""
    row = connection.execute(select(holds).where(_IN_FORCE, holds.c.environment == environment)).one_or_none()
    return None if row is None else Hold(row.environment, row.set_by, row.reason, row.set_at)


def lift(connection: Connection, environment: str, by: str, now: str) -> Hold | None:
    """The hold that was lifted, None when there was none."""
    hold = in_force(connection, environment)
    here = update(holds).where(_IN_FORCE, holds.c.environment == environment)
    connection.execute(here.values(lifted_by=by, lifted_at=now))
    return hold
