"""From a base64 image, as clients send it, to grey pixels of the size a model wants."""

import base64
import binascii
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")


class ImageError(Exception):
    """A client's image cannot be used; the text says why."""


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
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError("has far too many pixels; send a smaller one") from error
    except Exception as error:
        # Damaged files make Pillow raise nearly anything (OSError, SyntaxError, struct.error, ...).
        found = f"{len(content)} bytes that are no image of a known kind"
        raise ImageError(f"is {found}; expected {', '.join(FORMATS)}") from error


def to_grey(image: Image.Image, width: int, height: int) -> NDArray[np.uint8]:
    """Return the image as (height, width) grey pixels from 0 (black) to 255; what is transparent counts as black.

    The box filter takes the mean of the pixels it covers, which is how the training digits were made from 32x32 scans.
    """
    try:
        grey = _on_black(image).resize((width, height), Image.Resampling.BOX)
    except Exception as error:
        raise ImageError(f"is a damaged {image.format or 'image'} ({error}); send it again") from error
    return np.asarray(grey, dtype=np.uint8)


def _on_black(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("L")
    layers = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "black"), layers).convert("L")
