from pathlib import Path

from nocturne.ports.wheel_source import Log, WheelSource, WheelTarget
from tests.fakes.scripted import Scripted


class FakeWheelSource(Scripted, WheelSource):
    """Puts one empty wheel a requirement. fetched: (text of the requirements, target) of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[tuple[str, WheelTarget]] = []

    def fetch(self, requirements: Path, target: WheelTarget, destination: Path, log: Log) -> None:
        self._called("fetch")
        text = requirements.read_text()
        self.fetched.append((text, target))
        destination.mkdir(parents=True, exist_ok=True)
        for line in text.splitlines():
            name = line.partition("==")[0].strip()
            if name and not name.startswith(("#", "-")):
                (destination / f"{name}-py3-none-any.whl").touch()
