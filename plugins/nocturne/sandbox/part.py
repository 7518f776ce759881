"""What each part of the sandbox can do."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from nocturne.sandbox.progress import Report


@dataclass(frozen=True)
class PartStatus:
    """One look at a part. detail: its address while it runs, what is wrong otherwise. pid: of its first process, if it has one.

    occupied: whether anything of it runs and may hold its ports, even if the part as a whole does not work.
    """

    name: str
    running: bool
    detail: str
    pid: int | None = None
    occupied: bool = False


class Part(ABC):
    """Something that runs, or does not. left_running: why `stop` leaves it alone, for those that it does."""

    name: str
    left_running = ""

    @abstractmethod
    def start(self, report: Report) -> None:
        """Start it unless it runs, and return when it is ready. Raises Broken."""

    @abstractmethod
    def stop(self) -> bool:
        """End it, keeping its data. False when it did not run."""

    @abstractmethod
    def status(self) -> PartStatus:
        """Whether it runs and answers."""
