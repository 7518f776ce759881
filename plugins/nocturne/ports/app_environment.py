"""Where the app's own code runs: its tests, and its judgement of a model."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Log = Callable[[str], None]


@dataclass(frozen=True)
class Finished:
    """A command that ended. exit_code: None when its time was up. output, errors: the two standard streams."""

    exit_code: int | None
    output: str
    errors: str


class AppEnvironment(ABC):
    """Runs commands of the app in an environment made from the app's own lock file, without the orchestrator's secrets."""

    @abstractmethod
    def run(self, app: Path, command: Sequence[str], *, timeout: float, log: Log, memory_bytes: int | None = None) -> Finished:
        """Run a command in the app's folder with the folder above it on Python's path.

        app: an export of the app's folder. timeout: seconds; then the command and all its children are ended. log: called with
        each line of output as it comes. memory_bytes: how much each process may allocate, files that it maps not counted; with it
        come limits of processor time and open files, for a command that loads what strangers wrote. Raises Rejected when the lock
        file cannot be installed as it is, Broken when the package index is out of reach.
        """
