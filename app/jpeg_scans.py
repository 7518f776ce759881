"""Counts the scans of a JPEG file: a small file of very many takes minutes to decode."""

import re

START = b"\xff\xd8\xff"

MOST = 100
"""Encoders write about ten. Each goes over all pixels again, whatever its length: 30 bytes of a file can cost 10 ms.

libjpeg-turbo's own program `djpeg` has the option `-maxscans` for it; Pillow has none.
"""

_SCAN, _END, _ALONE = 0xDA, 0xD9, 0x01

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""What stands between segments; in the data of a scan, 0xff is followed by 0 or by a restart (ITU-T T.81, B.1.1)."""


def has_too_many_scans(content: bytes) -> bool:
    """Tell whether a file is a JPEG with more than MOST scans."""
    # What looks like a scan may be in a thumbnail or in a film behind the image: so nearly all are done here, at once.
    if not content.startswith(START) or content.count(bytes((0xFF, _SCAN))) <= MOST:
        return False
    found, place = 0, 2
    while found <= MOST and (marker := _MARKER.search(content, place)) and marker[1][0] != _END:
        found += marker[1][0] == _SCAN
        place = marker.end()
        if marker[1][0] != _ALONE:
            place += int.from_bytes(content[place : place + 2])
    return found > MOST
