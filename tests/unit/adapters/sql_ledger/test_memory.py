import pytest
from sqlalchemy import create_engine, text

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.domain.records import Evidence, Hold, Quarantine, Subject
from tests.fakes import FakeClock

NOW, LATER = "2026-11-20T02:00:00.000Z", "2026-11-20T03:00:00.000Z"


def _rows(url: str, query: str) -> list[tuple[object, ...]]:
    with create_engine(url).connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_evidence_comes_back_as_it_was_recorded(ledger: SqlLedger) -> None:
    """Subject, key, verdict and details are the same after a round trip; other keys know nothing."""
    learned = Evidence(Subject.CODE_IMAGE, "tree+base", True, "run-1", NOW, {"digest": "sha256:1", "list": [1, None, {"ü": 2.5}]})
    ledger.evidence(learned)
    found = ledger.recall(Subject.CODE_IMAGE, "tree+base")
    assert found == learned
    assert isinstance(found.subject, Subject)
    assert ledger.recall(Subject.TESTS, "tree+base") is None
    assert ledger.recall(Subject.CODE_IMAGE, "other") is None


def test_newer_evidence_takes_the_place_of_older(ledger: SqlLedger) -> None:
    """Only the newest of one subject and key is known."""
    ledger.evidence(Evidence(Subject.TESTS, "tree", False, "run-1", NOW, {"failed": ["a"]}))
    newer = Evidence(Subject.TESTS, "tree", True, "run-2", LATER)
    ledger.evidence(newer)
    assert ledger.recall(Subject.TESTS, "tree") == newer


def test_the_newest_under_the_beginning_of_a_key(ledger: SqlLedger) -> None:
    """Whoever knows only how a key begins gets what was learned last, in that case and of that subject."""
    for key, when in (("sha256:a+one", LATER), ("sha256:a+two", NOW), ("sha256:A+three", LATER + "9"), ("sha256:b", LATER + "9")):
        ledger.evidence(Evidence(Subject.SIGNATURE, key, True, "run-1", when))
    ledger.evidence(Evidence(Subject.TRIAL, "sha256:a+four", True, "run-1", LATER + "9"))
    found = ledger.recall_newest(Subject.SIGNATURE, "sha256:a")
    assert found
    assert (found.key, found.subject) == ("sha256:a+one", Subject.SIGNATURE)
    assert ledger.recall_newest(Subject.SIGNATURE, "sha256:%") is None


def test_the_first_reason_of_a_quarantine_stays(ledger: SqlLedger, clock: FakeClock) -> None:
    """A second rejection of the same id adds nothing."""
    ledger.quarantine("r-1", "tests failed", "run-1")
    clock.advance(3600)
    ledger.quarantine("r-1", "something else", "run-2")
    ledger.quarantine("sha256:2", "corrupt", "run-2")
    first = Quarantine("r-1", "tests failed", "run-1", NOW)
    assert ledger.quarantined("r-1", "r-3") == [first]
    assert ledger.quarantined() == [first, Quarantine("sha256:2", "corrupt", "run-2", LATER)]
    assert ledger.quarantined("r-3") == []


def test_a_lifted_quarantine_stays_as_history(ledger: SqlLedger, clock: FakeClock, url: str) -> None:
    """Lifting ends it once, the row stays, and the same id can be rejected anew."""
    ledger.quarantine("r-1", "tests failed", "run-1")
    clock.advance(3600)
    assert ledger.lift_quarantine("r-1")
    assert ledger.quarantined() == []
    assert not ledger.lift_quarantine("r-1")
    ledger.quarantine("r-1", "failed again", "run-2")
    assert ledger.quarantined("r-1") == [Quarantine("r-1", "failed again", "run-2", LATER)]
    assert _rows(url, "SELECT reason, lifted_at FROM quarantine ORDER BY number") == [
        ("tests failed", LATER),
        ("failed again", None),
    ]


def test_a_hold_stays_until_it_is_lifted(ledger: SqlLedger) -> None:
    """A hold is on one environment; lifting gives it back, a second lifting gives nothing."""
    hold = ledger.hold("production", "ada", "bad answers")
    assert hold == Hold("production", "ada", "bad answers", NOW)
    assert ledger.held("production") == hold
    assert ledger.held("staging") is None
    assert ledger.resume("production", "bob") == hold
    assert ledger.held("production") is None
    assert ledger.resume("production", "bob") is None


def test_who_set_and_who_lifted_a_hold_stays_recorded(ledger: SqlLedger, clock: FakeClock, url: str) -> None:
    """A hold in place of another lifts that one; the same one again (a retried step) changes nothing."""
    ledger.hold("production", "ada", "bad answers")
    clock.advance(3600)
    assert ledger.hold("production", "ada", "bad answers").since == NOW
    ledger.hold("production", "bob", "worse answers")
    ledger.resume("production", "eve")
    assert _rows(url, "SELECT set_by, set_at, reason, lifted_by, lifted_at FROM holds ORDER BY number") == [
        ("ada", NOW, "bad answers", "bob", LATER),
        ("bob", LATER, "worse answers", "eve", LATER),
    ]


@pytest.mark.parametrize("table", ["quarantine", "holds"])
def test_the_database_itself_allows_one_in_force(ledger: SqlLedger, url: str, table: str) -> None:
    """Beside what was lifted, a second entry for the same key is refused by an index."""
    for number in range(2):
        ledger.quarantine("key", str(number), "run")
        ledger.hold("key", str(number), "reason")
    assert len(_rows(url, f"SELECT * FROM {table} WHERE lifted_at IS NULL")) == 1
    indexes = [row[0] for row in _rows(url, f"SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'index'")]
    assert any("UNIQUE" in str(index) and "lifted_at IS NULL" in str(index) for index in indexes)
