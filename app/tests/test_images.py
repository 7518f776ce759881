"""Images of all kinds become the same grey pixels."""

from pathlib import Path

import numpy as np
import pytest
from conftest import encode
from PIL import Image, ImageDraw, ImageFont

from app.golden_set import Sample
from app.images import ImageError, open_base64, to_grey
from app.model import load_model

SQUARE = Image.new("L", (40, 40))
SQUARE.paste(255, (10, 0, 20, 40))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA", "I;16"])
def test_all_colour_modes_mean_the_same(mode: str) -> None:
    """White ink on black is that in every mode a PNG can have."""
    image = Image.fromarray(np.asarray(SQUARE).astype(np.uint16) * 257) if mode == "I;16" else SQUARE.convert(mode)
    grey = to_grey(open_base64(encode(image)), 4, 4)
    assert grey.tolist() == [[0, 255, 0, 0]] * 4


def test_transparent_counts_as_black() -> None:
    """A drawing on a transparent canvas is one on black, whatever colour hides behind the transparency."""
    canvas = Image.new("RGBA", (40, 40), (255, 255, 255, 0))
    canvas.paste((255, 255, 255, 255), (10, 0, 20, 40))
    assert to_grey(open_base64(encode(canvas)), 4, 4).tolist() == [[0, 255, 0, 0]] * 4


@pytest.mark.parametrize("kind", ["JPEG", "BMP", "GIF", "WEBP"])
def test_other_kinds_of_files_are_read(kind: str) -> None:
    """PNG is not the only kind."""
    assert to_grey(open_base64(encode(SQUARE, kind)), 4, 4)[0].tolist() == pytest.approx([0, 255, 0, 0], abs=9)


def test_kinds_that_need_other_programs_are_refused() -> None:
    """Pillow would start another program to draw an EPS file; such kinds are not read at all."""
    with pytest.raises(ImageError, match="expected PNG"):
        open_base64(encode(SQUARE, "EPS"))


@pytest.mark.parametrize("side", [16, 64, 200, 1000])
def test_size_does_not_matter(model_dir: Path, golden: list[Sample], side: int) -> None:
    """An enlarged golden image is read like the original."""
    model = load_model(model_dir)
    for sample in golden[:20]:
        image = open_base64(sample.image).resize((side, side), Image.Resampling.BICUBIC)
        best = model.card.labels[int(model.probabilities(image).argmax())]
        assert best == sample.label


def test_a_drawn_digit_is_read(model_dir: Path) -> None:
    """Large white figures on a black canvas are read right, mostly, though no hand wrote them."""
    model = load_model(model_dir)
    right = 0
    for label in model.card.labels:
        canvas = Image.new("RGB", (200, 200))
        font = ImageFont.load_default(240)
        ImageDraw.Draw(canvas).text((100, 100), label, "white", font, anchor="mm", stroke_width=8)
        right += model.card.labels[int(model.probabilities(canvas).argmax())] == label
    assert right >= 7
