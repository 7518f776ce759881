"""From an image file, as clients send it, to its pixels: upright, in the colours that a model wants."""

import base64
import binascii
import io
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from app.jpeg_scans import MOST, START, has_too_many_scans

KINDS: dict[str, tuple[bytes, Callable[[io.BytesIO], Image.Image]]] = {
    "PNG": (b"\x89PNG\r\n\x1a\n", PngImageFile),
    "JPEG": (START, jpeg_factory),
    "BMP": (b"BM", BmpImageFile),
    "GIF": (b"GIF8", GifImageFile),
    "WEBP": (b"RIFF", WebPImageFile),
}
"""How the files of each kind begin, and what reads their header, and raises an error where they are none after all."""

FORMATS = tuple(KINDS)

BOMB = 178_956_970
"""More pixels than this are an attack for Pillow's `Image.open` too."""

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each of EXIF's orientations: https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf, 4.6.4 A."""

WITH_ORIENTATION = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})
"""Where Pillow's `getexif` looks for an orientation: most images have none of these, and looking is slow."""

# What Pillow finds odd in a client's file is no news for a log, and Python would remember each different text for good.
warnings.filterwarnings("ignore", module=r"PIL\.")


class ImageError(Exception):
    """A client's image cannot be used; the text says why. place: which image of several it is, from 1."""

    place = 1


def open_base64(text: object) -> Image.Image:
    """Return the image behind base64 `text`: its header is read, its pixels are not decoded yet."""
    if not isinstance(text, str):
        raise ImageError(f"is a JSON {type(text).__name__}; expected a text with a base64 image")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(
            f"is not base64 ({error}); send the file's bytes in base64, without a `data:` prefix"
        ) from error
    return open_image(content)


def open_image(content: bytes) -> Image.Image:
    """Return the image that a file's bytes hold; its header is read, its pixels are not decoded yet."""
    if has_too_many_scans(content):
        raise ImageError(f"is a JPEG of more than {MOST} scans; save it again, in the usual way")
    try:
        return _identify(content)
    except Image.DecompressionBombError as error:
        raise ImageError("has far too many pixels; send a smaller one") from error
    except Exception as error:
        # Damaged files make Pillow raise nearly anything (OSError, SyntaxError, struct.error, ...).
        found = f"{len(content)} bytes that are no image of a known kind"
        raise ImageError(f"is {found}; expected {', '.join(FORMATS)}") from error


def _identify(content: bytes) -> Image.Image:
    """Do what Pillow's `Image.open` does, in three quarters of its time with a small file."""
    for start, read_header in KINDS.values():
        if content.startswith(start):
            image = read_header(io.BytesIO(content))
            width, height = image.size
            if width * height > BOMB:
                raise Image.DecompressionBombError
            return image
    raise UnidentifiedImageError


def decode(image: Image.Image, mode: str, enough: int | None = None) -> Image.Image:
    """Return the pixels of the image, or of its first frame, upright, in `mode`: `L` (grey) or `RGB`.

    An image with transparent parts comes as RGBA instead: what is transparent has no colour yet.
    enough: a length in pixels; a JPEG whose shorter side is at least twice as long may come smaller, for a fraction of
    the time and memory, with its shorter side still at least this long.
    """
    try:
        if enough:
            image.draft(mode, (enough, enough))
        image.load()
        return _in_mode(_upright(image), mode)
    except Exception as error:
        raise ImageError(f"is a damaged {image.format or 'image'} ({error}); send it again") from error


def _upright(image: Image.Image) -> Image.Image:
    if WITH_ORIENTATION.isdisjoint(image.info):
        return image
    # Pillow's `exif_transpose` would also write the EXIF data anew, which some cameras' data make fail.
    orientation = image.getexif().get(ORIENTATION)
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    wanted = "RGBA" if image.has_transparency_data else mode
    # Pillow would copy the pixels of an image that has this mode already.
    return image if image.mode == wanted else image.convert(wanted)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return 16-bit grey with the upper 8 bits of each pixel, where Pillow would turn all above 255 to white."""
    pixels = np.array(image)
    if (transparent := image.info.get("transparency")) is not None:
        pixels[pixels == transparent] = 0
    return Image.fromarray((pixels >> 8).astype(np.uint8))
