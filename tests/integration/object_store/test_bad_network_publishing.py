"""What a bad network does to publishing."""

import logging
from pathlib import Path

import pytest

from nocturne.adapters.object_store import ObjectModelStore, connect, times
from tests.integration.object_store.conftest import Distant
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model
from tests.integration.object_store.proxy import answer, lost_answer


@pytest.mark.parametrize("blob", ["_claims/v1", "model.onnx", "model.sig", "manifest.json", "latest"])
def test_a_write_whose_answer_was_lost_is_no_conflict(distant: Distant, tmp_path: Path, blob: str) -> None:
    """What the store wrote before it answered with a failure is there, and nobody is told that somebody else wrote it."""
    store, folder = ObjectModelStore(connect(distant.settings), NAME), write_model(tmp_path / "v1")
    distant.network.spoil(f"P.* /.*/{blob}", lost_answer(500))
    store.publish(folder, manifest_of(folder, "v1"), ignore, "signed by ada")
    assert store.freeze(None).version == "v1"
    assert store.unfinished(manifest_of(folder, "v1").digest) is None


def test_times_that_cannot_be_remembered_fail_nothing(
    distant: Distant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A model that is published whole, and the latest, is published, though the store refuses what only makes lists faster."""
    monkeypatch.setattr(times, "_WORTH_REMEMBERING", 1)
    store, folder = ObjectModelStore(connect(distant.settings), NAME), write_model(tmp_path / "v1")
    distant.network.spoil("PUT /.*/_times", answer(403))
    with caplog.at_level(logging.WARNING):
        store.publish(folder, manifest_of(folder, "v1"), ignore)
    assert store.freeze(None).version == "v1"
    assert "digits/_times was not brought up to date" in caplog.text
