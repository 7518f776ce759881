"""`python -m app.training --out DIR`: trains a model and writes it, with its card, into a folder."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from app.card import CARD_FILE, SCHEMA
from app.training.data import SIDE, Digits, load_split
from app.training.network import INPUT, OUTPUT, SCALE, accuracy, as_onnx, learn

MODEL_FILE = "model.onnx"


def train(out: Path, seed: int, note: str | None = None) -> float:
    """Write `model.onnx` and `model.json` into the folder `out`; return the accuracy on held-out images."""
    split = load_split()
    network = learn(split.train, seed)
    measured = accuracy(network, split.held_out)
    card = describe([str(label) for label in network.classes_], measured, split.held_out)
    if note:
        card["note"] = note
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_bytes(as_onnx(network))
    (out / CARD_FILE).write_bytes(orjson.dumps(card, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return measured


def describe(labels: list[str], measured: float, held_out: Digits) -> dict[str, Any]:
    """Return the model's card."""
    return {
        "schema": SCHEMA,
        "name": "digits",
        "model": MODEL_FILE,
        "input": {
            "name": INPUT,
            "shape": [None, SIDE * SIDE],
            "type": "float32",
            "width": SIDE,
            "height": SIDE,
            "colour": "L",
            "scale": SCALE,
        },
        "output": {"name": OUTPUT, "kind": "probabilities"},
        "labels": labels,
        # People can draw digits: the app's page offers them a canvas.
        "draw": True,
        "metrics": {"accuracy": round(measured, 4), "held_out": len(held_out.labels)},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.training", description="Train a model and write it to DIR.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for model.onnx and model.json")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another model (default: 0)")
    parser.add_argument("--version-note", metavar="TEXT", help="what is new, kept in the card as `note`")
    told = parser.parse_args(arguments)
    measured = train(told.out, told.seed, told.version_note)
    print(f"{measured:.2%} of the held-out digits are right; wrote {told.out / MODEL_FILE} and {told.out / CARD_FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
