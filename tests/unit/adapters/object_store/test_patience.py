"""When a request is sent again."""

import time

import pytest
from obstore.exceptions import GenericError

from nocturne.adapters.object_store.patience import Patience

BUSY = GenericError("status code: 503 Service Unavailable: x")
BROKEN = GenericError("HTTP error: request or response body error")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was slept, on a clock that only sleeping moves."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    return slept


def failures(patience: Patience, error: Exception) -> int:
    """How often one request fails until it is given up."""
    attempts, count = patience.begin(), 1
    while attempts.again(error):
        count += 1
    return count


def test_a_broken_line_is_tried_often_and_not_for_ever(pauses: list[float]) -> None:
    """Pauses grow from a tenth of a second to some seconds, and end when patience does."""
    assert failures(Patience(30), BROKEN) > 8
    assert 0.1 <= pauses[0] <= 0.125
    assert max(pauses) <= 4
    assert sum(pauses) <= 30


def test_a_busy_store_is_let_alone(pauses: list[float]) -> None:
    """Nothing is asked for the first seconds after a store said that it is busy, and for longer each time."""
    assert failures(Patience(30, busy_seconds=5), BUSY) == 3
    assert pauses[0] >= 5
    assert pauses[1] >= 10


def test_a_busy_store_is_let_alone_by_everybody(pauses: list[float]) -> None:
    """What one request was told, another one heeds before it is sent at all."""
    patience = Patience(30)
    patience.leave_alone(7)
    patience.wait()
    assert pauses == [7]


def test_patience_begins_anew_with_what_arrives(pauses: list[float]) -> None:
    """A download that goes on is not given up, however often its line breaks."""
    attempts = Patience(1).begin()
    for _ in range(100):
        assert attempts.again(BROKEN)
        attempts.moved()


@pytest.mark.parametrize("error", [GenericError("status code: 403 Forbidden: x"), BROKEN])
def test_nothing_is_tried_again_without_reason_or_patience(pauses: list[float], error: Exception) -> None:
    """A refusal is final, and so is everything where there is no patience, as in a folder."""
    assert failures(Patience(0 if error is BROKEN else 30), error) == 1
    assert pauses == []
