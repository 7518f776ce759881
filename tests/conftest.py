import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.sandbox import Settings, down, prepare
from nocturne.sandbox.progress import LineReport

FOLDER = Path(__file__).parents[1] / ".nocturne-test"


@pytest.fixture(scope="session")
def prepared() -> Iterator[None]:
    """Programs, Azurite and a running engine, installed and started where they are missing; the engine is given back at the end.

    Each of several test processes is a user of the engine of its own; only the installing is done by one at a time.
    """
    name = f"nocturne-tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    settings = Settings.from_environment({"NOCTURNE_HOME": str(FOLDER / name), "NOCTURNE_NAME": name})
    report = LineReport(sys.stderr)
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare(settings, report)
    yield
    down(settings, report)
