from pathlib import Path

from nocturne.sandbox.ownership import is_abandoned


def test_only_a_home_that_is_gone_is_abandoned(tmp_path: Path) -> None:
    """A home that is there, our own before it was made, and what names no path at all are somebody's."""
    there, gone, ours = tmp_path / "there", tmp_path / "gone", tmp_path / "ours"
    there.mkdir()
    assert is_abandoned(str(gone), ours)
    assert not is_abandoned(str(there), ours)
    assert not is_abandoned(str(ours), ours)
    assert not is_abandoned("", ours)
