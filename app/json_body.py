"""Reads the JSON of a request, unless it would need far more memory than it has bytes."""

import orjson

from app.problems import Problem

MOST = {b"[": 500_000, b"{": 1000, b'"': 250_000}
"""How often each sign may occur. A list of 3 bytes takes about 100 in memory, an object 250, a short text 60.

Ten colour images of 224 x 224 are 500,000 lists where each pixel is one; of the others no request has more than some
for each image.
"""


def read_json(content: bytes) -> object:
    """Return what the JSON holds; raises orjson.JSONDecodeError, or Problem (413) where it has too many parts."""
    for sign, most in MOST.items():
        # Those inside of texts count too: no text that a request needs has many.
        if len(content) > most and (found := content.count(sign)) > most:
            detail = f"found {found} times {sign.decode()} in the JSON; expected at most {most}"
            raise Problem(413, f"{detail}: send fewer images at once, and tensors as one flat list")
    return orjson.loads(content)
