"""Whatever bytes a client sends as an image, they are an image or an ImageError, and nothing else."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.images import FORMATS, ImageError, decode, open_image

# pytest shows what the app itself keeps quiet about.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

MOST_PIXELS = 100_000
SIGNATURES = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"GIF87a", b"BM", b"RIFF\x00\x01\x00\x00WEBPVP8L")
QUICK = settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))


def valid_files() -> list[bytes]:
    """Return files of each format and of many modes, some with EXIF, transparency or several frames."""
    random = np.random.default_rng(11)
    noise = Image.fromarray(random.integers(0, 256, (13, 17, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "held upright"
    more: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (noise, "PNG", {"exif": exif}),
        (noise.convert("P"), "PNG", {"transparency": 3}),
        (noise.convert("LA"), "PNG", {}),
        (Image.fromarray(random.integers(0, 65536, (9, 5), dtype=np.uint16)), "PNG", {"transparency": 7}),
        (noise.convert("1"), "PNG", {}),
        (noise, "PNG", {"save_all": True, "append_images": [noise.rotate(90)]}),
        (noise, "JPEG", {"exif": exif, "progressive": True}),
        (noise.convert("CMYK"), "JPEG", {}),
        (noise, "GIF", {"save_all": True, "append_images": [noise.rotate(90)], "transparency": 0}),
        (noise.convert("RGBA"), "WEBP", {"lossless": True, "exif": exif}),
        (noise, "WEBP", {"save_all": True, "append_images": [noise.rotate(90)]}),
        (noise.convert("P"), "BMP", {}),
    ]
    return [_saved(noise, kind, {}) for kind in FORMATS] + [_saved(*one) for one in more]


def _saved(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


FILES = valid_files()


def opens(content: bytes) -> bool:
    """Tell whether Pillow's own `open` finds an image, which the app does without."""
    try:
        Image.open(io.BytesIO(content), formats=FORMATS)
    except Exception:
        return False
    return True


def read(content: bytes) -> Image.Image | None:
    """Return the image as the app reads it: pixels are counted before they are decoded."""
    try:
        image = open_image(content)
    except ImageError:
        assert not opens(content)
        return None
    assert opens(content)
    try:
        if image.width * image.height > MOST_PIXELS:
            return None
        pixels = decode(image, "RGB", enough=16)
    except ImageError:
        return None
    assert pixels.mode in ("RGB", "RGBA") and pixels.width * pixels.height <= MOST_PIXELS
    return pixels


@pytest.mark.parametrize("content", FILES)
def test_the_files_themselves_are_images(content: bytes) -> None:
    """Otherwise the tests below would prove nothing."""
    assert read(content)


@QUICK
@given(st.sampled_from(SIGNATURES), st.binary(max_size=400))
@example(b"", b"")
def test_any_bytes(signature: bytes, content: bytes) -> None:
    """Noise, also behind the first bytes of a known kind."""
    read(signature + content)


@QUICK
@given(st.sampled_from(FILES), st.floats(0, 1))
def test_any_part_of_a_file(content: bytes, share: float) -> None:
    """An upload that broke off anywhere."""
    read(content[: int(len(content) * share)])


@QUICK
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=12),
)
def test_any_flipped_bits(content: bytes, flips: list[tuple[float, int]]) -> None:
    """A file that was damaged on its way, or on purpose."""
    damaged = bytearray(content)
    for share, bit in flips:
        # The first bytes, where sizes are told, are hit as often as all others together.
        damaged[int(share * 2 % 1 * (len(damaged) if share < 0.5 else min(64, len(damaged))))] ^= 1 << bit
    read(bytes(damaged))


@QUICK
@given(st.sampled_from(FILES), st.sampled_from(FILES), st.floats(0, 1), st.binary(max_size=40))
def test_any_two_files_in_one(first: bytes, second: bytes, share: float, between: bytes) -> None:
    """Parts of one kind within another."""
    middle = int(len(first) * share)
    read(first[:middle] + between + second[middle // 2 :])
