"""How long a request is kept up that fails by chance, and when it is sent again.

Everybody at one store shares what is known of it: when it says that it is busy, all let it alone for a while.
"""

import random
import time
from dataclasses import dataclass, field

from nocturne.adapters.object_store.client import BUSY_SECONDS
from nocturne.adapters.object_store.failures import is_busy, is_passing

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 4.0
_LONGEST_BUSY_PAUSE = 20.0


@dataclass
class Patience:
    """seconds: how long without a byte until a failure is final; 0 for never a second try.

    busy_seconds: the least time until a request is repeated that the store was too busy for.
    """

    seconds: float
    busy_seconds: float = BUSY_SECONDS
    _quiet_until: float = field(default=0.0, init=False)

    def begin(self) -> "Attempts":
        """The attempts at one request."""
        return Attempts(self)

    def wait(self) -> None:
        """Return once the store has had its rest."""
        while (left := self._quiet_until - time.monotonic()) > 0:
            time.sleep(left)

    def leave_alone(self, seconds: float) -> None:
        """From now on, for so long, nothing is asked. Two threads may overwrite each other's; they differ by little."""
        self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)


class Attempts:
    """The attempts at one request."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since = time.monotonic()
        self._failures = 0

    def moved(self) -> None:
        """Something arrived: patience begins anew."""
        self._since = time.monotonic()
        self._failures = 0

    def again(self, error: Exception) -> bool:
        """Whether to try once more, told when the time for it has come."""
        pause = self._pause(error)
        waited = time.monotonic() - self._since
        if not is_passing(error) or waited + pause > self._patience.seconds:
            return False
        self._failures += 1
        if is_busy(error):
            self._patience.leave_alone(pause)
            self._patience.wait()
        else:
            time.sleep(pause)
        return True

    def _pause(self, error: Exception) -> float:
        # Spread, so that parallel requests that failed together do not come back together.
        longer: float = 2**self._failures * random.uniform(1, 1.25)
        if is_busy(error):
            return min(self._patience.busy_seconds * longer, max(_LONGEST_BUSY_PAUSE, self._patience.busy_seconds))
        return min(_FIRST_PAUSE * longer, _LONGEST_PAUSE)
