"""`nocturne server local-cloud`: what a first night needs, on this machine instead of Azure."""

import os

from nocturne.cli import workplace
from nocturne.cli.output import out

_BASE_VARIABLE = "BASE_PYTHON_IMAGE"


def local_cloud() -> None:
    """Fill the local cloud for a first night: a container for models, the app's base image, a first model. Safe to repeat.

    The base image is what BASE_PYTHON_IMAGE names, or Python's own image for Debian bookworm; the engine pulls it unless it has it.

    Exit codes: 0 well, 2 wrong configuration, 4 something is out of reach, or has to be made by hand.
    """
    # Only now: they load Docker's client, which no other command of the server needs.
    from nocturne.sandbox.images import BASE
    from nocturne.server.local_cloud import fill

    for line in fill(workplace.world(), workplace.connection, os.environ.get(_BASE_VARIABLE) or BASE.upstream):
        out.print(line, markup=False)
