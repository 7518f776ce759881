from collections.abc import Sequence
from pathlib import Path

from nocturne.ports.app_environment import AppEnvironment, Finished, Log
from tests.fakes.scripted import Scripted

Command = tuple[str, ...]


class FakeAppEnvironment(Scripted, AppEnvironment):
    """commands: every command that was run, and memory_limits: with which. How one ends is said by `script`; without a script it
    ends well and says nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Command] = []
        self.memory_limits: list[int | None] = []
        self._endings: list[tuple[str, Finished]] = []

    def script(self, word: str, finished: Finished) -> None:
        """Commands with this word in them end so; what was scripted last counts first."""
        self._endings.insert(0, (word, finished))

    def run(self, app: Path, command: Sequence[str], *, timeout: float, log: Log, memory_bytes: int | None = None) -> Finished:
        self._called("run")
        self.memory_limits.append(memory_bytes)
        self.commands.append(tuple(command))
        finished = next((ending for word, ending in self._endings if word in command), Finished(0, "", ""))
        for line in finished.output.splitlines():
            log(line)
        return finished
