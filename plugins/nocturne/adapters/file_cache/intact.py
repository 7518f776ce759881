"""Whether a cached file still is what was put there, told without reading it each time."""

import hashlib
import os
import time
from pathlib import Path

# When every cached file was changed last, in ns. Whoever writes to one, by whatever name, gives it another time.
_SEAL = 946_684_800 * 10**9


def seal(path: Path) -> None:
    """Mark a file whose content was checked."""
    os.utime(path, ns=(time.time_ns(), _SEAL))


def is_intact(path: Path, sha256: str, started_at: float) -> bool:
    """Whether a file has the size in its name and nobody wrote to it. Raises FileNotFoundError.

    started_at: when this machine did, in seconds of Unix time. What was touched last before that is read once: where the power went
    off, a file may be cut, or have its size and hold zeros. (It is touched at each use.)
    """
    state = path.stat()
    if str(state.st_size) != path.name.rpartition("-")[2] or state.st_mtime_ns != _SEAL:
        return False
    return state.st_ctime >= started_at or digest_of(path) == sha256


def digest_of(path: Path) -> str:
    """`sha256:...` of what is in a file now."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def machine_started_at() -> float:
    """When this machine started, in seconds of Unix time, by its clock of now."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
