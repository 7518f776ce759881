from pathlib import Path

from sqlalchemy import create_engine, text

from nocturne.adapters.sql_ledger import SqlLedger


def test_text_that_postgresql_cannot_hold_is_replaced(ledger: SqlLedger) -> None:
    """NUL and halves of surrogate pairs, which programs print, become U+FFFD on the way in; everything else stays."""
    ledger.quarantine("r-1", "\0 and \udcff, but ü, 漢 and 😀 and \x01", "run")
    assert ledger.quarantined()[0].reason == "\ufffd and \ufffd, but ü, 漢 and 😀 and \x01"


def test_what_sqlite_took_before_is_read_alike(ledger: SqlLedger, url: str, tmp_path: Path) -> None:
    """A NUL that is in the database already comes out as U+FFFD."""
    ledger.quarantine("r-1", "reason", "run")
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE quarantine SET reason = 'a' || char(0) || 'b'"))
    assert ledger.quarantined()[0].reason == "a\ufffdb"
