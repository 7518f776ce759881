"""`python -m app`: serves the app until it is told to stop."""

import sys

from app.address import address_faults
from app.logs import set_up_logs
from app.release import read_release
from app.server import serve
from app.settings import SettingsError, read_settings


def main() -> int:
    """Serve, and return the exit code."""
    try:
        settings = read_settings()
    except SettingsError as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    if faults := address_faults(settings.host, settings.port):
        print("\n".join(faults), file=sys.stderr)
        return 2
    # First without the release, because reading it may be worth a line.
    set_up_logs(settings.logs, None)
    set_up_logs(settings.logs, read_release(settings.release_file)["release"])
    serve(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
