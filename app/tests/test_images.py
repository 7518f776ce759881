"""Images of all kinds become the same pixels."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encode
from PIL import Image, ImageDraw, ImageFont
from running import ROOT
from test_card_input import DIGIT, read

from app.golden_set import Sample
from app.images import ImageError, decode, open_base64, open_image
from app.model import load_model
from app.preparation import Preparation

SQUARE = Image.new("L", (40, 40))
SQUARE.paste(255, (10, 0, 20, 40))

# Red above blue, 40 wide and 20 high.
FLAG = Image.new("RGB", (40, 20), "red")
FLAG.paste((0, 0, 255), (0, 10, 40, 20))


def grey(image: Image.Image) -> Any:
    """Return the image as a model that takes 4 x 4 grey pixels gets it."""
    told, _ = read(DIGIT | {"shape": [1, 4, 4], "width": 4, "height": 4, "type": "uint8"})
    return Preparation(told)([image])[0].tolist()


def file(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA", "I;16"])
def test_all_colour_modes_mean_the_same(mode: str) -> None:
    """White ink on black is that in every mode a PNG can have."""
    image = Image.fromarray(np.asarray(SQUARE).astype(np.uint16) * 257) if mode == "I;16" else SQUARE.convert(mode)
    assert grey(open_base64(encode(image))) == [[0, 255, 0, 0]] * 4


def test_transparent_counts_as_black() -> None:
    """A drawing on a transparent canvas is one on black, whatever colour hides behind the transparency."""
    canvas = Image.new("RGBA", (40, 40), (255, 255, 255, 0))
    canvas.paste((255, 255, 255, 255), (10, 0, 20, 40))
    assert grey(open_base64(encode(canvas))) == [[0, 255, 0, 0]] * 4


@pytest.mark.parametrize(("mode", "transparent"), [("L", 200), ("RGB", (200, 200, 200)), ("P", 200), ("I;16", 51400)])
def test_one_colour_may_stand_for_transparent(mode: str, transparent: Any) -> None:
    """Such files have no alpha channel, but a colour that is none."""
    image = Image.new("L", (40, 40), 200)
    image.paste(255, (10, 0, 20, 40))
    image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    if mode == "P":
        image = Image.frombytes("P", (40, 40), image.convert("L").tobytes())
        image.putpalette([level for level in range(256) for _ in range(3)])
    assert grey(open_image(file(image, "PNG", transparency=transparent))) == [[0, 255, 0, 0]] * 4


def test_sixteen_bits_are_scaled_not_cut_off() -> None:
    """Half of 16 bits is half of 8 bits."""
    image = Image.fromarray(np.full((4, 4), 0x80FF, np.uint16))
    assert grey(open_image(file(image, "PNG"))) == [[0x80] * 4] * 4


def test_printers_colours_are_read() -> None:
    """Photos from a print shop come as CMYK."""
    pixels = decode(open_image(file(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")), "RGB")
    assert pixels.getpixel((4, 4)) == pytest.approx((255, 0, 0), abs=3)


@pytest.mark.parametrize("kind", ["JPEG", "BMP", "GIF", "WEBP"])
def test_other_kinds_of_files_are_read(kind: str) -> None:
    """PNG is not the only kind."""
    assert grey(open_base64(encode(SQUARE, kind)))[0] == pytest.approx([0, 255, 0, 0], abs=9)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_counts(kind: str) -> None:
    """Animated images are read as if they were not."""
    black = Image.new("L", (40, 40))
    animated = file(SQUARE.convert("RGB"), kind, save_all=True, append_images=[black.convert("RGB")] * 3)
    assert grey(open_image(animated))[0] == pytest.approx([0, 255, 0, 0], abs=9)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_cameras_say_how_they_were_held(kind: str, orientation: int) -> None:
    """An image that is stored turned and mirrored, with EXIF that says so, comes upright."""
    stored = {
        1: FLAG,
        2: FLAG.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: FLAG.rotate(180),
        4: FLAG.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: FLAG.transpose(Image.Transpose.TRANSPOSE),
        6: FLAG.rotate(90, expand=True),
        7: FLAG.transpose(Image.Transpose.TRANSVERSE),
        8: FLAG.rotate(-90, expand=True),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(open_image(file(stored, kind, exif=exif)), "RGB")
    assert image.size == (40, 20)
    assert image.getpixel((20, 4)) == pytest.approx((255, 0, 0), abs=9)
    assert image.getpixel((20, 16)) == pytest.approx((0, 0, 255), abs=9)


def test_a_large_photo_is_decoded_no_larger_than_is_needed() -> None:
    """JPEG can be read at an eighth of its size for a fraction of the cost."""
    photo = Image.linear_gradient("L").resize((4000, 3000)).convert("RGB")
    content = file(photo, "JPEG")
    whole, reduced = decode(open_image(content), "RGB"), decode(open_image(content), "RGB", enough=128)
    assert whole.size == (4000, 3000) and min(reduced.size) == 375
    small = [np.asarray(image.resize((32, 32), Image.Resampling.BOX)).astype(int) for image in (whole, reduced)]
    assert np.abs(small[0] - small[1]).max() <= 2


@pytest.mark.parametrize(("kind", "side"), [("PNG", 9_000), ("GIF", 9_000), ("WEBP", 4_000)])
def test_nothing_is_decoded_before_it_is_asked_for(tmp_path: Path, kind: str, side: int) -> None:
    """A small file with many pixels costs no memory until somebody has looked at their number."""
    bomb = tmp_path / "bomb"
    bomb.write_bytes(file(Image.new("L", (side, side)), kind))
    opened, decoded = (peak_mb(bomb, then) for then in ("", "from app.images import decode; decode(image, 'RGB')"))
    assert opened < 10 and 50 < decoded < 20 * side * side / 1e6


def peak_mb(bomb: Path, then: str) -> float:
    """Return how much more memory a process needs, at most, to open an image and to do what is said next with it."""
    code = f"""
from pathlib import Path
from app.images import open_image
def peak():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
before = peak()
image = open_image(Path({str(bomb)!r}).read_bytes())
assert image.width * image.height > 1_000_000
{then}
print((peak() - before) * 1024 / 1e6)
"""
    return float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True).stdout)


def test_a_bomb_is_refused_by_its_header() -> None:
    """What no limit of an operator's could allow is not even opened."""
    with pytest.raises(ImageError, match="too many pixels"):
        open_image(file(Image.new("1", (20_000, 20_000)), "PNG"))


def scans(count: int) -> bytes:
    """Return a progressive JPEG whose last scan stands in it so many times more."""
    content = file(Image.new("L", (64, 64), 99), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * count + content[-2:]


def test_a_jpeg_of_many_scans_is_refused() -> None:
    """Each scan of some bytes costs as much as decoding the whole image."""
    assert decode(open_image(scans(90)), "L").size == (64, 64)
    for content in (scans(101), scans(5000), scans(101)[:-2]):
        with pytest.raises(ImageError, match="more than 100 scans"):
            open_image(content)


@pytest.mark.parametrize("place", ["before", "behind"])
def test_what_is_beside_a_jpeg_is_no_scan_of_it(place: str) -> None:
    """Cameras write thumbnails before the pixels, and telephones whole films behind them."""
    plain, other = file(Image.new("L", (64, 64), 99), "JPEG"), b"\xff\xda\x00\x08film" * 200
    segment = b"\xff\xe5" + (len(other) + 2).to_bytes(2) + other
    content = plain + other if place == "behind" else plain[:2] + segment + plain[2:]
    assert decode(open_image(content), "L").size == (64, 64)


def test_what_is_no_image_imports_nothing() -> None:
    """The first bad request, or the first WebP file, is answered as quickly as the others."""
    code = """
import sys
from app.images import ImageError, open_image
open_image(bytes.fromhex(sys.argv[1]))
before = set(sys.modules)
try:
    open_image(b"no image")
except ImageError:
    print(sorted(set(sys.modules) - before))
"""
    command = [sys.executable, "-c", code, file(SQUARE, "PNG").hex()]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_half_a_file_is_damaged(kind: str) -> None:
    """A broken upload is not guessed at."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    content = file(noise, kind)
    with pytest.raises(ImageError):
        decode(open_image(content[: len(content) // 2]), "RGB")


def test_what_is_odd_in_a_file_fills_no_log() -> None:
    """Pillow warns of tags that lead nowhere; the app shows the image, and Python keeps no list of such texts."""
    exif = Image.Exif()
    exif[0x010E] = "a text that is cut off"
    content = file(FLAG, "JPEG", exif=exif.tobytes()[:-12])
    code = f"import io; from app.images import decode, open_image; print(decode(open_image({content!r}), 'RGB').size)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("(40, 20)\n", "")


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
        best = model.card.labels[int(model.probabilities([image]).argmax())]
        assert best == sample.label


def test_a_drawn_digit_is_read(model_dir: Path) -> None:
    """Large white figures on a black canvas are read right, mostly, though no hand wrote them."""
    model = load_model(model_dir)
    right = 0
    for label in model.card.labels:
        canvas = Image.new("RGB", (200, 200))
        font = ImageFont.load_default(240)
        ImageDraw.Draw(canvas).text((100, 100), label, "white", font, anchor="mm", stroke_width=8)
        right += model.card.labels[int(model.probabilities([canvas]).argmax())] == label
    assert right >= 7
