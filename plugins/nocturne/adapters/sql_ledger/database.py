"""The database behind the ledger: its transactions, and what its errors mean.

What a writer reads stays true until it commits, in SQLite and PostgreSQL alike: writers are serialised. A night writes some
dozens of rows; one writer at a time costs nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import URL, Connection, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nocturne.adapters.sql_ledger.engines import PURPOSE, Purpose, make_engine, sqlite_path
from nocturne.adapters.sql_ledger.failures import advice_for, cause_of
from nocturne.domain.errors import Broken, ConfigurationError


class Database:
    """One SQLite file or one PostgreSQL database. url: SQLAlchemy's form. Raises ConfigurationError for a URL it cannot use."""

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self.name = masked(parsed)
        self.path = sqlite_path(parsed)
        self._passwords = [str(parsed.password or ""), *(str(parsed.query[key]) for key in _password_keys(parsed))]
        self._engine = make_engine(parsed, self.name)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that changes nothing. Raises Broken."""
        with self._transaction(Purpose.READ) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that sees one moment, however many questions it asks. Raises Broken."""
        with self._transaction(Purpose.SNAPSHOT) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer overlaps. Raises Broken."""
        with self._transaction(Purpose.WRITE) as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A writer's transaction in which tables may be made anew. Raises Broken, also when rows refer to nothing at its end."""
        with self._transaction(Purpose.MIGRATE) as connection:
            yield connection
            if connection.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                found = ", ".join(sorted({f"{row[0]} refers to {row[2]}" for row in lost}))
                raise Broken(
                    f"{self.name}: {len(lost)} rows would refer to nothing: {found}", advice="nothing was changed; report it"
                )

    def server_time(self, connection: Connection) -> datetime | None:
        """The clock that all of a server's users share; None for a file, whose users share their machine's."""
        if connection.dialect.name == "sqlite":
            return None
        found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return found

    def close(self) -> None:
        """Close what is open; the next transaction opens it again."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, purpose: Purpose) -> Iterator[Connection]:
        with self._guarded(), self._engine.execution_options(**{PURPOSE: purpose}).begin() as connection:
            yield connection

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            cause = cause_of(error)
            for password in filter(None, self._passwords):
                cause = cause.replace(password, "***")
            raise Broken(f"the ledger at {self.name} failed: {cause}", advice=advice_for(error)) from error


def masked(url: URL) -> str:
    """The URL without the password, wherever it stands in it."""
    return url.difference_update_query(_password_keys(url)).render_as_string(hide_password=True)


def _password_keys(url: URL) -> list[str]:
    return [key for key in url.query if "password" in key.lower()]


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
