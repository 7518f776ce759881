from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.sql_ledger.database import Database, masked
from nocturne.domain.errors import Broken, ConfigurationError
from tests.fakes import FakeClock
from tests.fakes.inputs import some_inputs


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://ada:s3cret@db:5432/ledger", "postgresql://ada@db/ledger?password=s3cret", "postgresql://:s3cret@db/x"],
)
def test_a_masked_url_shows_everything_but_the_password(url: str) -> None:
    """The password is hidden wherever it stands in the URL; host and database are not."""
    shown = masked(make_url(url))
    assert "s3cret" not in shown
    assert "@db" in shown


@pytest.mark.parametrize("url", ["mysql://ada:s3cret@db/ledger", "s3cret", "", "postgresql+nodriver://ada:s3cret@db/ledger"])
def test_a_url_that_cannot_be_used_is_a_fault_of_the_configuration(url: str, clock: FakeClock) -> None:
    """Another database, a driver that is not there or no URL at all is reported at once, without its password."""
    with pytest.raises(ConfigurationError) as caught:
        SqlLedger(url, clock)
    assert "s3cret" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_broken(tmp_path: Path, clock: FakeClock) -> None:
    """Where the folder's place is taken by a file, opening says which path cannot be prepared."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Broken, match=r"file/ledger\.db cannot be prepared"):
        SqlLedger.open(f"sqlite:///{tmp_path}/file/ledger.db", clock)


def test_a_file_that_is_no_database_is_broken(tmp_path: Path, clock: FakeClock) -> None:
    """Rubbish in the file's place is said to be no database, and is not touched."""
    (tmp_path / "ledger.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(Broken, match="file is not a database"):
        SqlLedger.open(f"sqlite:///{tmp_path}/ledger.db", clock)
    assert (tmp_path / "ledger.db").read_bytes() == b"rubbish" * 1000


def test_a_database_without_tables_is_broken_with_advice(tmp_path: Path, clock: FakeClock) -> None:
    """Using a ledger that was never migrated names what is missing."""
    with pytest.raises(Broken, match="no such table: releases"):
        SqlLedger(f"sqlite:///{tmp_path}/ledger.db", clock).releases()


def test_an_error_undoes_the_whole_transaction(ledger: SqlLedger, url: str) -> None:
    """What was written before an error in the same transaction is not there afterwards."""
    release = ledger.open_release(some_inputs(), {})
    with pytest.raises(Broken, match="no such table"), Database(url).writing() as connection:
        _ = [connection.execute(text(statement)) for statement in ("DELETE FROM releases", "DELETE FROM missing")]
    assert ledger.releases() == [release]


def test_rows_that_others_refer_to_cannot_go(ledger: SqlLedger, url: str) -> None:
    """SQLite checks foreign keys: an event without its deployment is refused."""
    event = "INSERT INTO deployment_events (deployment_id, at, state, reason) VALUES (99, '', '', '')"
    with pytest.raises(Broken, match="FOREIGN KEY constraint failed"), Database(url).writing() as connection:
        connection.execute(text(event))


def test_a_lasting_lock_is_broken(ledger: SqlLedger, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waits too long for another one gives up, saying that the database is locked."""
    monkeypatch.setattr("nocturne.adapters.sql_ledger.patience.WAIT_SECONDS", 0.1)
    impatient = SqlLedger(url, FakeClock())
    with Database(url).writing(), pytest.raises(Broken, match="database is locked"):
        impatient.quarantine("r-1", "reason", "run")


def test_readers_do_not_wait_for_a_writer(ledger: SqlLedger, url: str) -> None:
    """While a writer is at work, others read what was there before."""
    with Database(url).writing() as connection:
        connection.execute(text("INSERT INTO leases VALUES ('production', 'run-1', '', '2999')"))
        assert ledger.leased("production") is None
    lease = ledger.leased("production")
    assert lease is not None
    assert lease.run_id == "run-1"
