from pathlib import Path

import pytest

from nocturne.adapters.sql_ledger import SqlLedger
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def ledger(url: str, clock: FakeClock) -> SqlLedger:
    return SqlLedger.open(url, clock)
