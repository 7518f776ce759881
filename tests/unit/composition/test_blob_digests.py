"""What is in blobs, remembered in a real ledger."""

from pathlib import Path

import pytest

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.composition.blob_digests import LedgerBlobDigests
from nocturne.domain import digest
from nocturne.domain.records import Subject
from tests.fakes.clock import FakeClock

SHA256 = digest.of_bytes(b"weights")


@pytest.fixture
def ledger(tmp_path: Path) -> SqlLedger:
    return SqlLedger.open(f"sqlite:///{tmp_path / 'ledger.db'}", FakeClock())


def test_what_was_read_is_known_to_every_machine(ledger: SqlLedger) -> None:
    """A digest is recalled by store, blob and pin, and by nothing less."""
    LedgerBlobDigests(lambda: ledger, FakeClock(), "models").remember("digits/model.onnx", '"e1"', SHA256)
    other = LedgerBlobDigests(lambda: ledger, FakeClock(), "models")
    assert other.recall("digits/model.onnx", '"e1"') == SHA256
    assert other.recall("digits/model.onnx", '"e2"') is None
    assert other.recall("digits/labels.txt", '"e1"') is None
    assert LedgerBlobDigests(lambda: ledger, FakeClock(), "others").recall("digits/model.onnx", '"e1"') is None
    evidence = ledger.recall(Subject.BLOB, 'models/digits/model.onnx@"e1"')
    assert evidence
    assert evidence.details == {"sha256": SHA256}


def test_the_ledger_is_opened_when_it_is_asked() -> None:
    """Whoever never reads a bare model needs no ledger for it."""

    def no_ledger() -> SqlLedger:
        raise AssertionError("the ledger was opened")

    digests = LedgerBlobDigests(no_ledger, FakeClock(), "models")
    with pytest.raises(AssertionError, match="was opened"):
        digests.recall("digits/model.onnx", "e1")
