"""Trying again what failed for a moment."""

import time
from collections.abc import Callable
from typing import TypeVar

from nocturne.domain.errors import Broken

Result = TypeVar("Result")
Pause = Callable[[float], None]

ATTEMPTS = 4
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class Transient(Broken):
    """A failure that may be over soon: no connection, 5xx, 429. after: seconds that the registry asked us to wait."""

    def __init__(self, message: str, *, advice: str = "", after: float | None = None) -> None:
        super().__init__(message, advice=advice)
        self.after = after


def retried(call: Callable[[], Result], pause: Pause = time.sleep) -> Result:
    """The result of `call`, tried ATTEMPTS times with pauses that double. The last Transient failure is let through."""
    for attempt in range(ATTEMPTS - 1):
        try:
            return call()
        except Transient as failure:
            wanted = FIRST_PAUSE * 2**attempt if failure.after is None else failure.after
            pause(min(wanted, LONGEST_PAUSE))
    return call()
