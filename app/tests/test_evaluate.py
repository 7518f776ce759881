"""The verdict on a model."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app import evaluate
from app.training.golden import GOLDEN_FILE


def run(capfd: pytest.CaptureFixture[str], model: Path, golden: Path = GOLDEN_FILE) -> tuple[int, str]:
    code = evaluate.main(["--model", str(model), "--golden", str(golden)])
    return code, capfd.readouterr().out


def test_a_good_model_gets_an_accuracy(capfd: pytest.CaptureFixture[str], model_dir: Path) -> None:
    """The verdict is one JSON object with an answer for every sample."""
    code, out = run(capfd, model_dir)
    verdict = json.loads(out)
    labels = [sample["label"] for sample in json.loads(GOLDEN_FILE.read_text())["samples"]]
    right = sum(answer == label for answer, label in zip(verdict["answers"], labels, strict=True))
    assert code == 0 and set(verdict) == {"faults", "samples", "accuracy", "answers", "latency_ms", "memory_mb"}
    assert verdict["faults"] == [] and verdict["samples"] == len(labels)
    assert verdict["accuracy"] == right / len(labels) >= 0.98
    assert 0 < verdict["latency_ms"]["p50"] <= verdict["latency_ms"]["p99"]


def test_memory_is_this_process_own(model_dir: Path) -> None:
    """It is what the evaluation had at its peak, not what the process that started it has."""
    ballast = bytearray(300_000_000)
    command = [sys.executable, "-m", "app.evaluate", "--model", str(model_dir), "--golden", str(GOLDEN_FILE)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, check=True)
    assert 20 < json.loads(done.stdout)["memory_mb"] < len(ballast) / 1e6


def test_faults_are_a_verdict_too(
    capfd: pytest.CaptureFixture[str], model_dir: Path, tmp_path: Path, card_json: dict[str, Any]
) -> None:
    """A model that breaks its promises is judged, with exit code 0 and without an accuracy."""
    card_json["labels"] = card_json["labels"][:9]
    (tmp_path / "model.json").write_text(json.dumps(card_json))
    (tmp_path / "model.onnx").write_bytes((model_dir / "model.onnx").read_bytes())
    code, out = run(capfd, tmp_path)
    verdict = json.loads(out)
    assert code == 0 and "expected one for each of the 9 labels" in verdict["faults"][0]
    assert (verdict["accuracy"], verdict["answers"], verdict["samples"]) == (None, [], 200)


def test_an_empty_folder_is_a_verdict(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No model is the model's fault, not the machinery's."""
    code, out = run(capfd, tmp_path)
    assert code == 0 and "model.json" in json.loads(out)["faults"][0]


@pytest.mark.parametrize(
    "content",
    [None, "{", "[]", '{"schema":1,"samples":[]}', '{"schema":1,"samples":[{"id":"a","image":"!","label":"1"}]}'],
)
def test_without_a_golden_set_nothing_can_be_judged(
    capfd: pytest.CaptureFixture[str], model_dir: Path, tmp_path: Path, content: str | None
) -> None:
    """A bad golden set is no verdict: nothing on stdout, another exit code."""
    golden = tmp_path / "golden.json"
    if content is not None:
        golden.write_text(content)
    assert run(capfd, model_dir, golden) == (2, "")
