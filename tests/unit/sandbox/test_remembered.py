from pathlib import Path

import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox.remembered import Remembered, recall, remember


def test_a_target_is_remembered(tmp_path: Path) -> None:
    """What was remembered is recalled, and nothing before that."""
    assert recall(tmp_path) is None
    remember(tmp_path, Remembered("kubernetes", "/config"))
    assert recall(tmp_path) == Remembered("kubernetes", "/config")


@pytest.mark.parametrize("content", ["{", "[]", '{"target": "mars"}', '{"targets": "swarm"}'])
def test_a_damaged_file(tmp_path: Path, content: str) -> None:
    """A file that cannot be understood is named, with the way out."""
    (tmp_path / "target.json").write_text(content)
    with pytest.raises(Broken, match=r"target\.json") as caught:
        recall(tmp_path)
    assert "remove it" in caught.value.advice
