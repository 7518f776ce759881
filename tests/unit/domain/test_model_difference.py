from dataclasses import replace

from nocturne.domain import digest
from nocturne.domain.model import ModelFile, ModelManifest
from nocturne.domain.model_difference import Change, differences

CARD = {"schema": 1, "model": "model.onnx", "labels": ["0", "1"], "input": {"shape": [28, 28]}, "metrics": {"accuracy": 0.9}}
FILES = (ModelFile("model.onnx", 1000, digest.of_bytes(b"1")), ModelFile("old.bin", 1, digest.of_bytes(b"2")))
BEFORE = ModelManifest("digits", "v1", "2026-11-22T02:00:00Z", FILES, CARD)


def test_equal_models_have_no_difference() -> None:
    """Name, version and date are no difference between models."""
    assert differences(BEFORE, replace(BEFORE, version="v2", created_at="2027-01-01T00:00:00Z")) == []


def test_every_difference_is_named() -> None:
    """Files that changed, went or came, labels, metrics with their difference, and the rest of the card are told one by one."""
    card = CARD | {"labels": ["1", "2"], "input": {"shape": [32, 32]}, "metrics": {"accuracy": 0.95, "f1": 0.5}, "note": "new"}
    files = (replace(FILES[0], size=1001), ModelFile("new.bin", 1, FILES[1].sha256))
    found = differences(BEFORE, replace(BEFORE, files=files, card=card))
    sha256 = FILES[0].sha256
    assert found == [
        Change("files", "model.onnx", f"{sha256} (1,000 bytes)", f"{sha256} (1,001 bytes)"),
        Change("files", "new.bin", None, f"{FILES[1].sha256} (1 bytes)"),
        Change("files", "old.bin", f"{FILES[1].sha256} (1 bytes)", None),
        Change("input", "", {"shape": [28, 28]}, {"shape": [32, 32]}),
        Change("note", "", None, "new"),
        Change("labels", "0", "there", None),
        Change("labels", "2", None, "there"),
        Change("metrics", "accuracy", 0.9, 0.95, 0.05),
        Change("metrics", "f1", None, 0.5),
    ]


def test_the_order_of_labels_is_a_difference() -> None:
    """The same labels in another order mean other outputs."""
    assert differences(BEFORE, replace(BEFORE, card=CARD | {"labels": ["1", "0"]})) == [
        Change("labels", "order", ["0", "1"], ["1", "0"])
    ]


def test_a_card_that_is_none_is_compared_nevertheless() -> None:
    """Labels and metrics of another kind than expected, which somebody else wrote, end in no error."""
    odd = replace(BEFORE, card={"labels": "0 1", "metrics": [1], "schema": 1})
    assert {change.what for change in differences(BEFORE, odd)} == {"model", "input", "labels", "metrics"}
