"""A folder in which all worker processes keep their counters, so that any of them can tell the sum."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder, once, when it is imported (see its README, `Multiprocess Mode`)."""

log = logging.getLogger(__name__)


@contextmanager
def shared_counters(places: tuple[Path | None, ...] = (Path("/dev/shm"), None)) -> Iterator[None]:
    """Name a new folder in the environment for all processes forked in this block, and remove it afterwards.

    In memory where that can be had: containers have it even with a read-only root. Where nothing can be written there
    are no counters, and no `/metrics`.
    """
    folder = _make(places)
    os.environ[VARIABLE] = folder or ""
    try:
        yield
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def counted_in() -> str | None:
    """Return the folder of this process and its siblings, or None where there is none."""
    return os.environ.get(VARIABLE) or None


def _make(places: tuple[Path | None, ...]) -> str | None:
    for place in places:
        try:
            return tempfile.mkdtemp(prefix="digits-counters-", dir=place)
        except OSError:
            continue
    log.warning("no folder can be written: nothing is counted. Give the app a /tmp or a /dev/shm of its own.")
    return None
