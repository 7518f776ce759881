"""Training: the same seed, the same bytes; and never a golden image."""

import json
from collections import Counter
from pathlib import Path

import pytest

from app.training.__main__ import main, train
from app.training.data import load_split
from app.training.golden import GOLDEN_FILE, golden_json


def test_a_seed_gives_the_same_bytes_again(model_dir: Path, tmp_path: Path) -> None:
    """Two trainings with one seed write the same two files."""
    train(tmp_path, seed=0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.json", "model.onnx"]
    for name in ("model.json", "model.onnx"):
        assert (tmp_path / name).read_bytes() == (model_dir / name).read_bytes()


def test_another_seed_gives_another_good_model(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line trains a model that differs and is as good."""
    assert main(["--out", str(tmp_path / "new"), "--seed", "1", "--version-note", "a second hand"]) == 0
    assert "of the held-out digits are right" in capsys.readouterr().out
    assert (tmp_path / "new" / "model.onnx").read_bytes() != (model_dir / "model.onnx").read_bytes()
    cards = [json.loads((folder / "model.json").read_text()) for folder in (model_dir, tmp_path / "new")]
    assert all(card["metrics"]["accuracy"] >= 0.98 for card in cards)
    assert cards[1]["note"] == "a second hand"


def test_no_image_is_in_two_parts() -> None:
    """What is golden or held out is never trained on."""
    split = load_split()
    parts = [set(part.indices.tolist()) for part in (split.train, split.held_out, split.golden)]
    assert sum(len(part) for part in parts) == len(set.union(*parts))
    assert Counter(split.golden.labels.tolist()) == dict.fromkeys(range(10), 20)


def test_the_golden_set_is_the_one_that_is_written() -> None:
    """The committed file is what the module writes, image for image."""
    committed, written = json.loads(GOLDEN_FILE.read_text()), json.loads(golden_json())
    assert [(s["id"], s["label"]) for s in committed["samples"]] == [(s["id"], s["label"]) for s in written["samples"]]
    assert len(committed["samples"]) == 200
