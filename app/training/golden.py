"""`python -m app.training.golden`: writes the golden set, the same bytes every time."""

import argparse
import base64
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

from app.training.data import load_split

GOLDEN_FILE = Path(__file__).parents[1] / "golden" / "digits.json"


def golden_json() -> bytes:
    """Return the golden set as the JSON that `golden/digits.json` holds, one sample a line for readable diffs."""
    golden = load_split().golden
    samples = [
        orjson.dumps({"id": f"d-{index:04}", "image": encode_png(pixels), "label": str(label)}).decode()
        for index, pixels, label in zip(golden.indices, golden.pixels, golden.labels, strict=True)
    ]
    return ('{"schema":1,"samples":[\n' + ",\n".join(samples) + "\n]}\n").encode()


def encode_png(pixels: NDArray[np.uint8]) -> str:
    """Return grey pixels as a base64 PNG."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the golden set, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.training.golden", description="Write the golden set.")
    parser.add_argument("--out", type=Path, default=GOLDEN_FILE, help="file to write (default: the app's own)")
    out = parser.parse_args(arguments).out
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(golden_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
