"""`python -m app`: serves the app until it is told to stop."""

import logging
import sys

from app.server import serve
from app.settings import SettingsError, read_settings


def main() -> int:
    """Serve, and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
    try:
        settings = read_settings()
    except SettingsError as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    serve(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
