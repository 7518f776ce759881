"""What the sandbox ships to: the parts and steps that come with each."""

from abc import ABC, abstractmethod

from nocturne.sandbox.part import Part, PartStatus
from nocturne.sandbox.steps_in_parallel import Step


class Target(ABC):
    """parts: started after the steps that they need, by name in needs. in_engine: whether what it makes is in the engine."""

    parts: tuple[Part, ...]
    needs: dict[str, tuple[str, ...]]
    in_engine: bool

    @abstractmethod
    def steps(self) -> list[Step]:
        """What is to be done before the parts can start."""

    @abstractmethod
    def status(self) -> list[PartStatus]:
        """What is below the parts, as it is now."""

    @abstractmethod
    def remove(self) -> str:
        """Remove what was made there, and say what. Raises Broken."""
