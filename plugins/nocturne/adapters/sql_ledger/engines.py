"""How each database is connected to, and how a transaction begins there.

Writers are serialised, in SQLite by `BEGIN IMMEDIATE` (https://www.sqlite.org/lang_transaction.html) and in PostgreSQL by an
advisory lock that lives as long as the transaction
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS).
"""

from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, create_engine, event
from sqlalchemy.exc import NoSuchModuleError

from nocturne.adapters.sql_ledger import patience
from nocturne.domain.errors import ConfigurationError

PURPOSE = "nocturne_purpose"
"""The execution option that says what a transaction is for."""

_WRITERS_LOCK = 0x6E6F637475726E65  # the bytes of "nocturne": a key of our own among the advisory locks of a shared database


class Purpose(StrEnum):
    """What a transaction is for."""

    READ = "read"
    SNAPSHOT = "snapshot"
    WRITE = "write"
    MIGRATE = "migrate"


def make_engine(url: URL, name: str) -> Engine:
    """An engine whose transactions begin as their purpose demands; nothing is connected yet. Raises ConfigurationError."""
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, **(_sqlite_options(url) if sqlite else _postgresql_options(url)))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError("the ledger's URL", [f"{name} needs a driver that is not installed: {error}"]) from error
    if engine.driver == "psycopg":
        event.listen(engine, "do_connect", _connect_to_postgresql)
    event.listen(engine, "begin", _on_sqlite_begin if sqlite else _on_postgresql_begin)
    return engine


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite database, None for any other and for one in memory."""
    in_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if in_file else None


def _sqlite_options(url: URL) -> dict[str, Any]:
    # A connection for each transaction: one that a forked process inherits would corrupt the file
    # (https://www.sqlite.org/howtocorrupt.html, 2.6). A database in memory lives in its one connection.
    pool = NullPool if sqlite_path(url) else StaticPool
    return {"poolclass": pool, "connect_args": {"timeout": patience.WAIT_SECONDS, "check_same_thread": False}}


def _postgresql_options(url: URL) -> dict[str, Any]:
    # A machine that is gone confirms nothing: its silence is noticed while we send (tcp_user_timeout, in ms) and while we wait.
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    limits = {
        "connect_timeout": patience.CONNECT_SECONDS,
        "tcp_user_timeout": patience.ANSWER_SECONDS * 1000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    chosen = {key: value for key, value in limits.items() if key not in url.query}
    return {"pool_pre_ping": True, "pool_size": 2, "connect_args": chosen}


def _connect_to_postgresql(_dialect: Any, _record: Any, arguments: Any, keywords: Any) -> Any:
    # Imported here: a ledger in a file needs no psycopg.
    from nocturne.adapters.sql_ledger.answering import AnsweringConnection

    # Prepared statements gain nothing here, and fail behind a pooler and after a migration in another process.
    keywords.setdefault("prepare_threshold", None)
    return AnsweringConnection.connect(*arguments, **keywords)


def _on_sqlite_begin(connection: Connection) -> None:
    purpose = connection.get_execution_options().get(PURPOSE)
    # To alter a table SQLite makes it anew: those that refer to it must not mind (https://www.sqlite.org/lang_altertable.html, 7).
    connection.exec_driver_sql(f"PRAGMA foreign_keys = {'OFF' if purpose is Purpose.MIGRATE else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if purpose in (Purpose.WRITE, Purpose.MIGRATE) else "BEGIN")


def _on_postgresql_begin(connection: Connection) -> None:
    purpose = connection.get_execution_options().get(PURPOSE)
    if purpose is Purpose.SNAPSHOT:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    elif purpose in (Purpose.WRITE, Purpose.MIGRATE):
        limits = {
            "lock_timeout": patience.WAIT_SECONDS,
            "idle_in_transaction_session_timeout": patience.IDLE_SECONDS,
            "statement_timeout": patience.STATEMENT_SECONDS,
        }
        # One question to the server, not three; `true`: until the transaction ends.
        settings = ", ".join(f"set_config('{name}', '{seconds}s', true)" for name, seconds in limits.items())
        connection.exec_driver_sql(f"SELECT {settings}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
