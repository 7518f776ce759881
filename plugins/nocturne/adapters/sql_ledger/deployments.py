"""Rows of deployments and of what happened to them."""

from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from nocturne.adapters.sql_ledger import releases
from nocturne.adapters.sql_ledger.tables import deployment_events, deployments
from nocturne.domain.errors import Conflict, NotFound
from nocturne.domain.records import Cause, Change, Deployment
from nocturne.domain.states import DeploymentState, check_transition


def opened(connection: Connection, wanted: Deployment) -> Deployment:
    """The deployment of `wanted`'s run, environment and cause, written if it is new; its id is then given here.

    Raises NotFound for an unknown release, Conflict when the deployment there is of another one.
    """
    existing = of_run(connection, wanted.run_id, wanted.environment, wanted.cause)
    if existing is None:
        return _written(connection, wanted)
    if existing.release_id != wanted.release_id:
        raise Conflict(
            f"the run {wanted.run_id} deploys {existing.release_id} into {wanted.environment} ({wanted.cause}) already, "
            f"it cannot deploy {wanted.release_id} as well",
            advice="start a new run for the other release",
        )
    return existing


def of_run(connection: Connection, run_id: str, environment: str, cause: Cause) -> Deployment | None:
    """The deployment of a run."""
    columns = deployments.c
    same = (columns.run_id == run_id, columns.environment == environment, columns.cause == cause)
    row = connection.execute(select(deployments).where(*same)).one_or_none()
    return None if row is None else _deployment(row)


def moved(connection: Connection, deployment_id: int, state: DeploymentState, reason: str, now: str) -> Deployment:
    """The deployment in its new state, with an event; nothing is written when it is in that state already."""
    row = connection.execute(select(deployments).where(deployments.c.id == deployment_id)).one_or_none()
    if row is None:
        raise NotFound(f"no deployment {deployment_id}", advice="`nocturne releases show` lists a release's deployments")
    before = _deployment(row)
    check_transition(before.state, state)
    if before.state == state:
        return before
    changes = {"state": state, "changed_at": now, "reason": reason or before.reason}
    change = update(deployments).where(deployments.c.id == deployment_id).values(changes)
    after = _deployment(connection.execute(change.returning(*deployments.c)).one())
    _tell(connection, after, reason)
    return after


def newest(connection: Connection, environment: str | None, limit: int) -> list[Deployment]:
    """The newest first, of one environment or of all."""
    query = select(deployments).order_by(deployments.c.id.desc()).limit(limit)
    return _all(connection, query if environment is None else query.where(deployments.c.environment == environment))


def verified(connection: Connection, environment: str, limit: int) -> list[Deployment]:
    """Verified ones, the last to be verified first.

    In the order in which it was written, not by the clocks of the workers that wrote it: those differ.
    """
    events = select(deployment_events.c.deployment_id, func.max(deployment_events.c.id).label("last"))
    verification = events.where(deployment_events.c.state == DeploymentState.VERIFIED)
    grouped = verification.group_by(deployment_events.c.deployment_id).subquery()
    joined = deployments.join(grouped, grouped.c.deployment_id == deployments.c.id)
    here = (deployments.c.environment == environment, deployments.c.state == DeploymentState.VERIFIED)
    return _all(connection, select(deployments).select_from(joined).where(*here).order_by(grouped.c.last.desc()).limit(limit))


def events(connection: Connection, deployment_id: int) -> list[tuple[str, str, str]]:
    """(time, state, reason), oldest first."""
    columns = deployment_events.c
    query = select(columns.at, columns.state, columns.reason).where(columns.deployment_id == deployment_id)
    return [(row.at, row.state, row.reason) for row in connection.execute(query.order_by(columns.id))]


def changes(connection: Connection, environment: str) -> list[Change]:
    """Of all deployments into an environment, in the order in which they were written."""
    told = deployment_events.c
    joined = deployments.join(deployment_events, told.deployment_id == deployments.c.id)
    query = select(deployments, told.at.label("_at"), told.state.label("_to")).select_from(joined)
    known: dict[int, Deployment] = {}
    found = []
    for row in connection.execute(query.where(deployments.c.environment == environment).order_by(told.id)):
        deployment = known.get(row.id) or known.setdefault(row.id, _deployment(row))
        found.append(Change(deployment, row._mapping["_at"], DeploymentState(row._mapping["_to"])))
    return found


def _written(connection: Connection, wanted: Deployment) -> Deployment:
    releases.require(connection, wanted.release_id)  # an error that lists the releases, not a broken foreign key
    values = {column.name: getattr(wanted, column.name) for column in deployments.c if column.name != "id"}
    deployment = _deployment(connection.execute(insert(deployments).values(values).returning(*deployments.c)).one())
    _tell(connection, deployment, deployment.reason)
    return deployment


def _tell(connection: Connection, deployment: Deployment, reason: str) -> None:
    values = {"deployment_id": deployment.id, "at": deployment.changed_at, "state": deployment.state, "reason": reason}
    connection.execute(insert(deployment_events).values(values))


def _all(connection: Connection, query: Select[Any]) -> list[Deployment]:
    return [_deployment(row) for row in connection.execute(query)]


def _deployment(row: Row[Any]) -> Deployment:
    values = {column.name: row._mapping[column.name] for column in deployments.c}
    return Deployment(**values | {"cause": Cause(row.cause), "state": DeploymentState(row.state)})
