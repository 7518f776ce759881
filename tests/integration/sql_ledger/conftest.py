import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.system_clock import SystemClock
from tests.integration.sql_ledger.postgresql import Server, programs, server


@pytest.fixture(scope="session")
def postgresql_programs() -> Path:
    """Where PostgreSQL and its driver are installed."""
    binaries = programs()
    if binaries is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or its driver psycopg is not installed")
    return binaries


@pytest.fixture(scope="session")
def shared_server(postgresql_programs: Path) -> Iterator[Server]:
    """One server for all tests that leave it running."""
    with server(postgresql_programs) as found:
        yield found


@pytest.fixture
def own_server(postgresql_programs: Path) -> Iterator[Server]:
    """A server that the test may stop and spoil."""
    with server(postgresql_programs) as found:
        yield found


@pytest.fixture
def postgresql(shared_server: Server) -> Iterator[str]:
    """The URL of an empty database of the shared server."""
    yield shared_server.url
    engine = create_engine(shared_server.url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, one of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    found: str = request.getfixturevalue("postgresql")
    return found


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(url, SystemClock())
    yield opened
    opened.close()
