"""The model's card and how its faults are told."""

from pathlib import Path
from typing import Any

import pytest

from app.card import Card, CardError, parse_card, read_card


def test_a_card_tells_how_to_use_the_model(card: Card) -> None:
    """A good card is read as it was written."""
    assert card.labels == tuple("0123456789")
    assert (card.input.shape, card.input.width, card.input.height) == ((None, 64), 8, 8)
    assert (card.input.mean, card.input.std) == (0.0, 1.0)


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
