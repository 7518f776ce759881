from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from nocturne.server.superuser import Superuser
from tests.integration.server.postgres import SUPERUSER_PASSWORD, Postgres, new_postgres
from tests.integration.sql_ledger.postgresql import programs


@pytest.fixture(scope="session")
def running() -> Iterator[Postgres]:
    """A server that is up."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with new_postgres() as found:
        found.start()
        yield found
        found.stop()


@pytest.fixture
def postgres(running: Postgres) -> Iterator[Postgres]:
    """The same, as empty after each test as before."""
    yield running
    with psycopg.connect(running.conninfo("postgres", SUPERUSER_PASSWORD), autocommit=True) as connection:
        for (database,) in connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"):
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
        for (role,) in connection.execute(
            r"SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"
        ).fetchall():
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def superuser(postgres: Postgres) -> Superuser:
    return Superuser("127.0.0.1", postgres.port, password=SUPERUSER_PASSWORD)
