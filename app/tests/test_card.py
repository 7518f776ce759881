"""The model's card and how its faults are told."""

from pathlib import Path
from typing import Any

import pytest

from app.card import Card, CardError, parse_card, read_card


def test_a_card_tells_how_to_use_the_model(card: Card) -> None:
    """A good card is read as it was written."""
    assert card.labels == tuple("0123456789")
    assert (card.input.shape, card.input.width, card.input.height) == ((None, 64), 8, 8)
    assert (card.input.mean, card.input.std) == ((0.0,), (1.0,))
    assert (card.input.layout, card.input.resize, card.input.filter) == ("flat", "stretch", "box")
    assert card.draw


def test_metrics_and_drawing_may_be_left_out(card_json: dict[str, Any]) -> None:
    """A card need not say how good the model is, nor that its input can be drawn."""
    del card_json["metrics"], card_json["draw"]
    card = parse_card(card_json)
    assert (card.metrics, card.draw) == ({}, False)
    assert parse_card(card_json | {"metrics": {}}).metrics == {}
    assert parse_card(card_json | {"metrics": {"accuracy": 0.9, "top5": 0.99}}).metrics == {
        "accuracy": 0.9,
        "top5": 0.99,
    }


def test_labels_may_stand_in_a_file_of_their_own(tmp_path: Path, card_json: dict[str, Any]) -> None:
    """One label a line, whatever ends the lines; the file may end with some that are empty."""
    (tmp_path / "synset.txt").write_bytes("n01440764 tench, Tinca tinca\r\nn1 Käse\r\n\r\n".encode())
    card_json["labels"] = "synset.txt"
    assert parse_card(card_json, tmp_path).labels == ("n01440764 tench, Tinca tinca", "n1 Käse")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gone.txt", None, "No such file"),
        ("../synset.txt", None, "same folder"),
        ("synset.txt", b"a\n\nb", "line 2 is empty"),
        ("synset.txt", b"a\na", "each once"),
        ("synset.txt", b"", "line 1 is empty"),
        ("synset.txt", b"caf\xe9\nb", "utf-8"),
        ("a\0b", None, "null byte"),
    ],
)
def test_a_bad_label_file_is_told(
    tmp_path: Path, card_json: dict[str, Any], name: str, content: bytes | None, told: str
) -> None:
    """The fault names the file, beside all other faults."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CardError, match=told) as caught:
        parse_card(card_json | {"labels": name, "name": 7}, tmp_path)
    assert len(caught.value.faults) == 2


def test_all_faults_are_told_at_once(card_json: dict[str, Any]) -> None:
    """Whoever writes a card learns of every fault in one go."""
    card_json |= {"schema": 2, "model": "../secret", "labels": ["a", "a"], "metrics": {"accuracy": 7, "held_out": 0}}
    card_json["input"] |= {"type": "int8", "width": 9, "scale": "1", "std": 0, "colour": None}
    del card_json["output"]["name"]
    with pytest.raises(CardError) as caught:
        parse_card(card_json)
    told = "\n".join(caught.value.faults)
    for word in ("schema", "secret", "labels", "accuracy", "held_out", "int8", "shape", "scale", "std", "colour"):
        assert word in told
    assert "model.json: output: 'name' is missing; expected a text" in caught.value.faults


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", 7),
        ("model", ".."),
        ("model", "a/b.onnx"),
        ("input", []),
        ("input.shape", [None]),
        ("input.shape", [2, 64]),
        ("input.shape", [None, None, 64]),
        ("input.shape", [None, True]),
        ("input.shape", [None, 63]),
        ("input.width", True),
        ("input.mean", float("nan")),
        ("output.kind", "votes"),
        ("labels", []),
        ("labels", ["one"]),
        ("labels", [1, 2]),
        ("metrics", 0.99),
        ("metrics", None),
        ("metrics.accuracy", "high"),
        ("draw", "yes"),
    ],
)
def test_a_wrong_field_is_named(card_json: dict[str, Any], path: str, value: object) -> None:
    """Each fault names the field and what was found there."""
    *outer, name = path.split(".")
    place = card_json[outer[0]] if outer else card_json
    place[name] = value
    with pytest.raises(CardError, match=name):
        parse_card(card_json)


def test_what_is_no_object_is_one_fault() -> None:
    """A card of another kind does not cause a fault for each field."""
    with pytest.raises(CardError) as caught:
        parse_card([])
    assert caught.value.faults == ["model.json is []; expected an object"]


def test_a_missing_or_damaged_file_is_a_fault(tmp_path: Path) -> None:
    """The text says where the card was looked for."""
    with pytest.raises(CardError, match=str(tmp_path)):
        read_card(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(CardError, match="not JSON"):
        read_card(tmp_path)
