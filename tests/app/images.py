"""Small image files of every format that the app reads, whole and damaged."""

import base64

from hypothesis import strategies as st

# Made with Pillow, which this environment does not have: 4 x 4 pixels (JPEG: 8 x 8), the GIF with two frames.
_FILES = {
    "image/jpeg": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAKBueIx4ZKCMgoy0qqC+8P//8Nzc8P////////////////////////////////////////////////"
        "//////////wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABkQAAIDAQAAAAAAAAAAAAAAAAESABExQf/aAAgBAQAAPwAiqit7"
        "P//Z"
    ),
    "image/webp": ("UklGRi4AAABXRUJQVlA4ICIAAACQAQCdASoEAAQACQCsJaQAAudZtgAA/s74LheVCGAAAAAA"),
    "image/gif": ("R0lGODdhBAAEAIEAAAAAAP///wAAAAAAACwAAAAABAAEAAAIDAABCBQYYGDBgQIDAgAh+QQBAAAAACwBAAEAAQACAAAIBQABAAgIADs="),
    "image/bmp": ("Qk1OAAAAAAAAAD4AAAAoAAAABAAAAAQAAAABAAEAAAAAABAAAADEDgAAxA4AAAIAAAACAAAAAAAAAP///wAAAAAAQAAAAEAAAAAAAAAA"),
    "image/png": ("iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAACMmsGiAAAAFUlEQVR4nGNgYGBgYGD4z8DAxAADAA0bAQIYXvI5AAAAAElFTkSuQmCC"),
}

IMAGES = {kind: base64.b64decode(content) for kind, content in _FILES.items()}
"""By media type."""


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return an image file that was cut off, or of which some bytes were changed."""
    content = bytearray(draw(st.sampled_from(sorted(IMAGES.values()))))
    for place in draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))])
