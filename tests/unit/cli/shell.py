"""The command, as a shell sees it."""

import pytest

from nocturne.cli import workplace
from nocturne.cli.main import run
from tests.fakes.world import FakeWorld


class Shell:
    """Calls `nocturne` on a world of fakes."""

    def __init__(self, world: FakeWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setattr(workplace, "world", lambda: world)

    def call(self, *words: str) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        self._monkeypatch.setattr("sys.argv", ["nocturne", *words])
        with pytest.raises(SystemExit) as ended:
            run()
        captured = self._capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err
