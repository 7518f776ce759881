from datetime import UTC, datetime, timedelta

from nocturne.ports.clock import Clock

NIGHT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


class FakeClock(Clock):
    """Stands still until it is moved; sleeping moves it. slept: the seconds of each sleep."""

    def __init__(self, now: datetime = NIGHT) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
