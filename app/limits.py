"""What one request may ask for, so that no request can take the app down."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The most that one `POST /score` may bring: bytes in its body, images, and pixels of all its images together.

    Pixels are counted before anything is decoded: a PNG of some kilobytes can unpack to gigabytes.
    """

    body_bytes: int = 8 * 1024 * 1024
    images: int = 64
    pixels: int = 16_000_000
