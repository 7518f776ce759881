"""A part that is one supervised process behind one port."""

import time
from abc import abstractmethod
from datetime import UTC, datetime

from nocturne.sandbox.environment import inherited_environment
from nocturne.sandbox.part import Part, PartStatus
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.progress import Report
from nocturne.sandbox.settings import Settings
from nocturne.sandbox.supervised import SupervisedProcess, fingerprint_of


class Server(Part):
    """Starts, checks and stops the process; what to run and when it is healthy is said by the parts themselves."""

    start_seconds = 30.0
    stop_seconds = 10.0

    def __init__(self, settings: Settings, programs: Programs) -> None:
        self.settings = settings
        self.programs = programs
        self.process = SupervisedProcess(self.name, settings.home)

    @abstractmethod
    def prepare(self, report: Report) -> None:
        """Everything that the process needs to be there: programs, configuration files."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program with its arguments."""

    @abstractmethod
    def healthy(self) -> bool:
        """Whether it answers as it should. Raises nothing when it does not."""

    @abstractmethod
    def address(self) -> str:
        """Where a person finds it."""

    def environment(self) -> dict[str, str]:
        """What the process is started with: nothing of the sandbox, whose secrets it need not know."""
        return inherited_environment()

    def version(self) -> str:
        """A text that changes when a running process is out of date for another reason than its command or environment."""
        return ""

    def settle(self) -> None:
        """What is to be done each time it became ready."""
        return

    def start(self, report: Report) -> None:
        """Start it unless it runs as it would be started now; wait until it is healthy."""
        self.prepare(report)
        command, environment = self.command(), self.environment()
        fingerprint = fingerprint_of(command, _without_noise(environment), self.version())
        began = time.monotonic()
        ran = self.process.fingerprint() == fingerprint and self._well()
        if not ran:
            report.working(self.name, "starting")
            self.stop()
            self.process.start(command, environment, fingerprint)
        self.process.wait_until(self.healthy, self.start_seconds, lambda: self.programs.stopped)
        self.settle()
        how = "was ready" if ran else f"ready after {time.monotonic() - began:.1f} s"
        report.ready(self.name, f"{how} on {self.address()}")

    def _well(self) -> bool:
        """Whether it works, or is young enough that it soon will."""
        age = (datetime.now(UTC) - self.process.started_at()).total_seconds()
        return age < self.start_seconds / 4 or self.healthy()

    def stop(self) -> bool:
        """End it with all its children."""
        return self.process.stop(self.stop_seconds)

    def status(self) -> PartStatus:
        """By its pid first, then by asking it."""
        pid = self.process.pid()
        if pid is None:
            rest = self.process.remains()
            detail = f"its first process ended, {rest} others still run; see {self.process.log}" if rest else "not running"
            return PartStatus(self.name, running=False, detail=detail, occupied=rest > 0)
        if not self.healthy():
            return PartStatus(
                self.name,
                running=False,
                detail=f"process {pid} runs but does not answer; see {self.process.log}",
                pid=pid,
                occupied=True,
            )
        return PartStatus(self.name, running=True, detail=self.address(), pid=pid, occupied=True)


def _without_noise(environment: dict[str, str]) -> list[tuple[str, str]]:
    """The variables that come from the sandbox; the calling shell's differ from one terminal to the next and mean nothing."""
    return sorted(item for item in environment.items() if item[0].startswith(("AIRFLOW", "NOCTURNE", "AZURITE")))
