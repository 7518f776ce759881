"""The database behind the ledger: how it is reached, and how each transaction begins and ends.

Writers are serialised, in SQLite by `BEGIN IMMEDIATE` (https://www.sqlite.org/lang_transaction.html) and in PostgreSQL by an
advisory lock that lives as long as the transaction
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). What a writer reads stays true until it commits, in
both alike. A night writes some dozens of rows; one writer at a time costs nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nocturne.domain.errors import Broken, ConfigurationError

WAIT_SECONDS = 30
"""How long a writer waits for the one before it."""

_WRITERS_LOCK = 0x6E6F637475726E65  # the bytes of "nocturne": a key of our own among the advisory locks of a shared database
_WRITES = "nocturne_writes"


class Database:
    """One SQLite file or one PostgreSQL database. url: SQLAlchemy's form. Raises ConfigurationError for a URL it cannot use."""

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self.name = masked(parsed)
        self.path = _sqlite_path(parsed)
        self._password = str(parsed.password or "")
        self._engine = _engine(parsed, self.name)
        self._writer = self._engine.execution_options(**{_WRITES: True})

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that changes nothing. Raises Broken."""
        with self._guarded(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer overlaps. Raises Broken."""
        with self._guarded(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close what is open; the next transaction opens it again."""
        self._engine.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            cause = str(getattr(error, "orig", None) or error).strip()
            if self._password:
                cause = cause.replace(self._password, "***")
            advice = "check that the database is up and that the URL, the rights and the disk are right, then try again"
            raise Broken(f"the ledger at {self.name} failed: {cause}", advice=advice) from error


def masked(url: URL) -> str:
    """The URL without the password, wherever it stands in it."""
    secrets = [key for key in url.query if "password" in key.lower()]
    return url.difference_update_query(secrets).render_as_string(hide_password=True)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The text is not repeated: a URL with a slip in it still holds its password.
        raise ConfigurationError("the ledger's URL", ["found no URL, expected sqlite:///PATH or postgresql://..."]) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        fault = f"found {parsed.get_backend_name()!r}, expected sqlite or postgresql"
        raise ConfigurationError("the ledger's URL", [fault])
    return parsed


def _sqlite_path(url: URL) -> Path | None:
    in_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if in_file else None


def _engine(url: URL, name: str) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, **(_sqlite_options(url) if sqlite else _postgresql_options()))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError("the ledger's URL", [f"{name} needs a driver that is not installed: {error}"]) from error
    if sqlite:
        event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin if sqlite else _on_postgresql_begin)
    return engine


def _sqlite_options(url: URL) -> dict[str, Any]:
    # A connection for each transaction: one that a forked process inherits would corrupt the file
    # (https://www.sqlite.org/howtocorrupt.html, 2.6). A database in memory lives in its one connection.
    pool = NullPool if _sqlite_path(url) else StaticPool
    return {"poolclass": pool, "connect_args": {"timeout": WAIT_SECONDS, "check_same_thread": False}}


def _postgresql_options() -> dict[str, Any]:
    return {"pool_pre_ping": True, "pool_size": 2, "connect_args": {"connect_timeout": WAIT_SECONDS}}


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _on_sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _on_postgresql_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
