import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.sandbox import Settings, down, prepare
from nocturne.sandbox.progress import LineReport

CLONE = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> Iterator[None]:
    """Programs, Azurite and a running engine, installed and started where they are missing; the engine is given back at the end."""
    settings = Settings.from_environment(
        {"NOCTURNE_HOME": str(CLONE / ".nocturne-test" / "prepared"), "NOCTURNE_NAME": "nocturne-tests"}
    )
    report = LineReport(sys.stderr)
    prepare(settings, report)
    yield
    down(settings, report)
