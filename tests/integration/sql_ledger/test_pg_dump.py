"""PostgreSQL's own backup of the ledger."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.errors import Broken
from tests.integration.sql_ledger.night import remember
from tests.integration.sql_ledger.postgresql import Server


@pytest.fixture
def owned(shared_server: Server) -> Iterator[list[str]]:
    """The names of two databases of a role that may do nothing else, as on a server that was set up for the ledger."""
    names = ["dumped", "restored"]
    shared_server.run("createuser", "keeper")
    for name in names:
        shared_server.run("createdb", "--owner=keeper", name)
    yield names
    for command in (*(["dropdb", "--force", name] for name in names), ["dropuser", "keeper"]):
        shared_server.run(*command)


def test_a_restored_dump_goes_on_where_it_was_taken(shared_server: Server, owned: list[str]) -> None:
    """In a fresh database the program finds all as it was, gives new numbers to new rows, and the unique indexes hold."""
    dumped, restored = owned
    ledger = SqlLedger.open(shared_server.of(dumped, "keeper"), SystemClock())
    for number in range(3):
        remember(ledger, number)
    dump = str(shared_server.folder / "ledger.dump")
    shared_server.run("pg_dump", "--username=keeper", "--format=custom", f"--file={dump}", dumped)
    remember(ledger, 3)  # after the dump: not in it
    strictly = ("--exit-on-error", "--single-transaction", "--no-owner")
    shared_server.run("pg_restore", "--username=keeper", *strictly, f"--dbname={restored}", dump)
    _check(shared_server.of(restored, "keeper"), ledger)
    ledger.close()


def _check(url: str, before: SqlLedger) -> None:
    restored = SqlLedger.open(url, SystemClock())
    assert restored.releases() == before.releases()[1:]
    assert restored.deployments() == before.deployments()[1:]
    assert restored.changes("production") == before.changes("production")[:-2]
    assert [remember(restored, number).id for number in (2, 3, 4)] == [3, 4, 5]
    again = "INSERT INTO quarantine (subject_id, reason, run_id, since) VALUES ('r-1', '', '', '')"
    with pytest.raises(Broken, match="uq_quarantine_in_force"), Database(url).writing() as connection:
        connection.execute(text(again))
