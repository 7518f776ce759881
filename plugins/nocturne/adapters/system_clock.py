"""The machine's own clock."""

import time
from datetime import UTC, datetime

from nocturne.ports.clock import Clock


class SystemClock(Clock):
    """Tells the machine's time and really waits."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        time.sleep(seconds)
