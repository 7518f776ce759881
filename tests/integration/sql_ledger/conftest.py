import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.system_clock import SystemClock
from tests.integration.sql_ledger.postgresql import programs, server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server, where PostgreSQL and its driver are installed."""
    binaries = programs()
    if binaries is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or its driver psycopg is not installed")
    with server(binaries) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, one of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    found = request.getfixturevalue("postgresql")
    yield found
    engine = create_engine(found)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(url, SystemClock())
    yield opened
    opened.close()
