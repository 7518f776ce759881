"""Rows of leases: one for each environment that somebody deploys into, or did until they died."""

from sqlalchemy import Connection, delete, insert, select, update

from nocturne.adapters.sql_ledger.tables import leases
from nocturne.domain.errors import LeaseTaken
from nocturne.domain.records import Lease


def taken(connection: Connection, wanted: Lease, now: str) -> Lease:
    """The lease, taken or renewed. Raises LeaseTaken while another run has it and it has not expired."""
    row = connection.execute(select(leases).where(leases.c.environment == wanted.environment)).one_or_none()
    if row is None:
        values = {"environment": wanted.environment, "run_id": wanted.run_id, "taken_at": now}
        connection.execute(insert(leases).values(values | {"expires_at": wanted.expires_at}))
        return wanted
    if row.run_id != wanted.run_id and row.expires_at > now:
        raise LeaseTaken(
            f"{wanted.environment} is leased to the run {row.run_id} until {row.expires_at}; the run {wanted.run_id} must wait",
            advice=f"let {row.run_id} finish; if it died, its lease ends by itself at that time",
        )
    renewed = {"expires_at": wanted.expires_at}
    replaced = renewed | {"run_id": wanted.run_id, "taken_at": now}
    here = update(leases).where(leases.c.environment == wanted.environment)
    connection.execute(here.values(renewed if row.run_id == wanted.run_id else replaced))
    return wanted


def in_force(connection: Connection, environment: str, now: str) -> Lease | None:
    """The lease on an environment, unless it has expired."""
    query = select(leases).where(leases.c.environment == environment, leases.c.expires_at > now)
    row = connection.execute(query).one_or_none()
    return None if row is None else Lease(row.environment, row.run_id, row.expires_at)


def give_up(connection: Connection, environment: str, run_id: str) -> None:
    """Nothing happens when the run does not have it."""
    connection.execute(delete(leases).where(leases.c.environment == environment, leases.c.run_id == run_id))
