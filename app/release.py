"""Which release this is, as written into the image beside the model."""

import logging
from pathlib import Path

import orjson

FIELDS = ("release", "commit", "tree", "model_version", "model_digest")

log = logging.getLogger(__name__)


def read_release(file: Path) -> dict[str, str | None]:
    """Return the release's five facts, each None where `file` does not tell it.

    A developer's machine has no such file, so none of this may stop the app.
    """
    nothing = dict.fromkeys(FIELDS)
    try:
        told = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return nothing
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read (%s): /version will answer nulls", file, error)
        return nothing
    if not isinstance(told, dict):
        log.warning("%s holds %s, expected an object: /version will answer nulls", file, type(told).__name__)
        return nothing
    return {field: _fact(told.get(field), field, file) for field in FIELDS}


def _fact(told: object, field: str, file: Path) -> str | None:
    # The release is told in a header of every answer: another character there, and nothing could be answered at all.
    if told is None or (isinstance(told, str) and told.isascii() and told.isprintable()):
        return told or None
    log.warning("%s: %r is %.80r, expected a text of printable ASCII: /version will answer null", file, field, told)
    return None
