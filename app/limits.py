"""What one request may ask for, so that no request can take the app down."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The most that one request may bring: bytes in its body, images, and pixels of all its images together.

    Pixels are counted before anything is decoded: a PNG of some kilobytes can unpack to gigabytes.
    queue_seconds: a worker for which requests wait longer than this refuses new ones. Health checks wait with them: the
    timeouts of all who check must be longer. connections: the most that a worker keeps open.
    """

    body_bytes: int = 8 * 1024 * 1024
    images: int = 64
    pixels: int = 16_000_000
    queue_seconds: float = 5.0
    connections: int = 1000
