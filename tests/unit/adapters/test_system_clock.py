import time
from datetime import UTC, datetime, timedelta

from nocturne.adapters.system_clock import SystemClock


def test_the_time_is_aware_and_in_utc() -> None:
    """The clock tells the machine's time in UTC."""
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_sleeping_takes_its_time() -> None:
    """A sleep lasts at least as long as was asked for."""
    started = time.monotonic()
    SystemClock().sleep(0.02)
    assert time.monotonic() - started >= 0.02
