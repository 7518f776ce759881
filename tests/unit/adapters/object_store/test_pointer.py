"""Moving the pointer, on the client's own store in memory."""

import pytest
from obstore.store import MemoryStore

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.pointer import Pointer, move_pointer, read_pointer

OURS = Pointer("v2", "sha256:" + "2" * 64, "2026-11-22T02:00:00+00:00")
THEIRS = Pointer("v3", "sha256:" + "3" * 64, "2026-11-22T02:00:01+00:00")


@pytest.fixture
def blobs() -> Blobs:
    return Blobs(MemoryStore())


def test_the_first_pointer_is_created(blobs: Blobs) -> None:
    """Where there was no pointer, moving it creates it."""
    assert move_pointer(blobs, "latest", OURS, None) is None
    seen = read_pointer(blobs, "latest")
    assert seen is not None
    assert seen.pointer == OURS


def test_a_pointer_that_moved_stays_where_it_is(blobs: Blobs) -> None:
    """A move from a place where the pointer no longer is tells where it is, and changes nothing."""
    move_pointer(blobs, "latest", OURS, None)
    seen = read_pointer(blobs, "latest")
    move_pointer(blobs, "latest", THEIRS, seen)
    assert move_pointer(blobs, "latest", Pointer("v4", THEIRS.digest, ""), seen) == THEIRS
    assert read_pointer(blobs, "latest").pointer == THEIRS  # type: ignore[union-attr]


def test_a_move_whose_answer_was_lost_is_no_conflict(blobs: Blobs) -> None:
    """A move that is tried again and meets itself has succeeded."""
    move_pointer(blobs, "latest", OURS, None)
    assert move_pointer(blobs, "latest", OURS, None) is None
