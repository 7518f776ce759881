"""The app on a machine on which no worker can start."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import app.web
from app.__main__ import main


def fail(*_: object) -> None:
    """Fail as a worker may."""
    raise MemoryError("no memory for a worker")


app.web.create_app = fail  # type: ignore[assignment]
main()
