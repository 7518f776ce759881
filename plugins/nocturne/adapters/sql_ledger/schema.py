"""Which revision of its tables a database holds, and bringing it to the one that this program knows.

Alembic is imported only where something is to be changed: importing it takes longer than all that a step asks of the ledger.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from nocturne.adapters.sql_ledger import patience
from nocturne.adapters.sql_ledger.database import Database
from nocturne.domain.errors import Broken, Conflict, NotFound

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The newest revision in `migrations/versions`; a test compares the two."""

BASE = "base"
"""Before the first revision: no tables."""

_VERSIONS = "nocturne_ledger_version"  # not `alembic_version`: in PostgreSQL the database may be another program's too


def current(database: Database) -> str | None:
    """The revision that the database holds, None for a database without tables. Raises Broken."""
    with database.reading() as connection:
        return _revision(connection)


def upgrade(database: Database) -> None:
    """Bring a database to HEAD, or leave it as it was. Safe when several processes do it at once: one does, the others wait.

    Raises Broken, also when the database is newer than this program.
    """
    if database.path is not None:
        _prepare_file(database.path)
    with database.migrating() as connection:
        revision = _revision(connection)
        if revision != HEAD:
            refuse_newer(revision, database.name)
            from alembic import command

            command.upgrade(alembic_config(connection), "head")


def downgrade(database: Database, revision: str = BASE) -> None:
    """Take a database back to an older revision, for the program that goes with it; `base` removes every table.

    Raises NotFound for a revision that there is not, Conflict for one that is not older, and Broken.
    """
    from alembic import command

    known = revisions()
    if revision not in (BASE, *known):
        raise NotFound(f"no revision {revision!r}; there are: {', '.join((BASE, *known))}", advice="name one of those")
    with database.migrating() as connection:
        found = _revision(connection)
        refuse_newer(found, database.name)
        if found is None or (revision != BASE and revision >= found):
            raise Conflict(
                f"the ledger at {database.name} holds revision {found or BASE}, expected a newer one than {revision}",
                advice="`nocturne ledger upgrade` is the way forward",
            )
        command.downgrade(alembic_config(connection), revision)


def revisions() -> list[str]:
    """Those that this program knows, oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def refuse_newer(revision: str | None, name: str) -> None:
    """Raises Broken for a revision that this program does not know yet."""
    # Revisions are numbered, so that an older program can tell a newer database from a damaged one.
    if revision is not None and revision > HEAD:
        raise Broken(
            f"the ledger at {name} holds revision {revision}, this program knows revisions up to {HEAD}",
            advice="update Nocturne on this machine, or take the ledger back with the newer version (`nocturne ledger downgrade`)",
        )


def alembic_config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration, made here because an installed wheel has no alembic.ini. Without a connection: SQL to stdout."""
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=_VERSIONS)
    return config


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSIONS):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar()


def _prepare_file(path: Path) -> None:
    """Write-ahead logging, so that readers never wait for a writer. The file remembers it."""
    deadline = time.monotonic() + patience.WAIT_SECONDS
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while not _logs_ahead(path):
            if time.monotonic() > deadline:
                raise Broken(
                    f"the ledger at {path} is in use by others since {patience.WAIT_SECONDS} s", advice="find who holds it open"
                )
            time.sleep(0.05)
    except (sqlite3.Error, OSError) as error:
        advice = "check that the path is right, that it can be written and that the disk has room"
        raise Broken(f"the ledger at {path} cannot be prepared: {error}", advice=advice) from error


def _logs_ahead(path: Path) -> bool:
    """False while somebody else uses the file: the change of mode does not wait for them, whatever the timeout."""
    with closing(sqlite3.connect(path, timeout=patience.WAIT_SECONDS)) as connection:
        try:
            return bool(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
