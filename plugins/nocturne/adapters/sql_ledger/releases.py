"""Rows of releases."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from nocturne.adapters.sql_ledger.tables import releases
from nocturne.domain.errors import NotFound
from nocturne.domain.inputs import Inputs
from nocturne.domain.records import Release
from nocturne.domain.states import ReleaseState

_LISTED = 8  # how many releases a message names


def opened(connection: Connection, inputs: Inputs, manifests: dict[str, str], now: str) -> Release:
    """The release with these inputs, written if it is new.

    The same identities may be found at other places: another commit with the same tree, a model published again. Until a release
    is verified the newest places count, or its blobs could not be fetched any more; its image names places, so it is made anew.
    A verified one keeps its places, and takes only a signature that the same files got since: another environment may demand one.
    """
    row = connection.execute(select(releases).where(releases.c.id == inputs.release_id)).one_or_none()
    if row is not None:
        known = _release(row)
        if known.state is ReleaseState.VERIFIED:
            model = replace(known.inputs.model, signature=inputs.model.signature or known.inputs.model.signature)
            inputs, image = replace(known.inputs, model=model), known.image
        else:
            image = ""
        if known.inputs == inputs:
            return known
        change(connection, known.id, inputs=inputs.to_dict(), image=image)
        return replace(known, inputs=inputs, image=image)
    release = Release(inputs.release_id, inputs, manifests, now)
    connection.execute(
        insert(releases).values(
            id=release.id,
            inputs=inputs.to_dict(),
            manifests=manifests,
            created_at=now,
            state=release.state,
            image=release.image,
            reason=release.reason,
        )
    )
    return release


def found(connection: Connection, release_id: str) -> Release:
    """The one release whose id is, or begins with, `release_id`. Raises NotFound."""
    # LIKE minds the case in one database and not in the other.
    begins = func.substr(releases.c.id, 1, len(release_id)) == release_id
    query = select(releases).where(begins).order_by(releases.c.number.desc()).limit(_LISTED)
    rows = connection.execute(query).all() if release_id else []
    if len(rows) == 1:
        return _release(rows[0])
    if rows:
        fits = ", ".join(row.id for row in rows)
        raise NotFound(f"several releases begin with {release_id}: {fits}", advice="give more of the id")
    raise _unknown(connection, release_id)


def newest(connection: Connection, limit: int) -> list[Release]:
    """The newest first."""
    rows = connection.execute(select(releases).order_by(releases.c.number.desc()).limit(limit))
    return [_release(row) for row in rows]


def require(connection: Connection, release_id: str) -> None:
    """Raises NotFound when there is no release with exactly this id."""
    if connection.execute(select(releases.c.id).where(releases.c.id == release_id)).one_or_none() is None:
        raise _unknown(connection, release_id)


def change(connection: Connection, release_id: str, **values: Any) -> None:
    """Set columns of one release. Raises NotFound."""
    require(connection, release_id)
    connection.execute(update(releases).where(releases.c.id == release_id).values(**values))


def _unknown(connection: Connection, release_id: str) -> NotFound:
    listing = ", ".join(release.id for release in newest(connection, _LISTED)) or "none yet"
    return NotFound(f"no release {release_id!r}; the newest are: {listing}", advice="`nocturne releases` lists them all")


def _release(row: Row[Any]) -> Release:
    inputs = Inputs.from_dict(row.inputs)
    return Release(row.id, inputs, row.manifests, row.created_at, ReleaseState(row.state), row.image, row.reason)
