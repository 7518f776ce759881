"""Where an app's dependencies come from, before its image is built without a network."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Log = Callable[[str], None]


@dataclass(frozen=True)
class WheelTarget:
    """What wheels must run on. python: `3.11`; platform: `linux/amd64`; glibc: `2.36`."""

    python: str
    platform: str
    glibc: str


class WheelSource(ABC):
    """Fetches the wheels that a hash-locked requirements file names."""

    @abstractmethod
    def fetch(self, requirements: Path, target: WheelTarget, destination: Path, log: Log) -> None:
        """Put every wheel into `destination`, each checked against its hash.

        Raises Rejected when a package has no wheel for the target or a hash does not match, Broken when the index is out of reach.
        """
