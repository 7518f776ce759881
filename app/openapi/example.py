"""The image of the document's examples: a golden sample, small enough to be written into a command line."""

import base64

IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAQ0lEQVR4nAXBARVAMBQAwNNgEX6ERRBBAxVI4klAExFoMA2mwXc3qNfuPTFm5h2o"
    "uQWIzF4ZWL75WUFpB5haDyi9FfxKQxUErI3ksAAAAABJRU5ErkJggg=="
)
"""Sample d-0035 of `golden/digits.json`, a PNG of 8 x 8 pixels in base64. Any model takes it, as it takes any image."""

IMAGE_BYTES = base64.b64decode(IMAGE)

LABEL = "5"


def example_labels(labels: tuple[str, ...]) -> list[str]:
    """Return a model's labels, as its answer to the example could rank them."""
    return sorted(labels, key=lambda label: label != LABEL)


def example_probabilities(count: int) -> list[float]:
    """Return as many probabilities, the best first."""
    return [0.98, 0.01, *[0.0] * count][:count]
