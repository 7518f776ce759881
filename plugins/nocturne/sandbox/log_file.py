"""Reading the end of a log."""

from pathlib import Path

_TAIL_BYTES = 16 * 1024


def last_lines(log: Path, count: int = 15) -> list[str]:
    """The last lines of a log that may be long or missing, without trailing spaces."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            content = file.read()
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in content.decode(errors="replace").splitlines()][-count:]
