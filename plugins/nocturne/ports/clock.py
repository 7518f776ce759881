"""The time, as something that a test can set."""

from abc import ABC, abstractmethod
from datetime import datetime


class Clock(ABC):
    """Tells the time and waits."""

    @abstractmethod
    def now(self) -> datetime:
        """The time now, aware, in UTC."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Wait that long."""
