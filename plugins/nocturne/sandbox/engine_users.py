"""Which sandboxes use the engine that one of them started: whoever leaves last turns it off."""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from nocturne.sandbox import processes
from nocturne.sandbox.supervised import has_running


class EngineUsers:
    """A folder with one file for each sandbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other sandbox starts or stops the engine, and keep others from it meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def add(self, home: Path) -> None:
        """From now on this sandbox uses the engine: as long as this process runs, or anything that was started under the home."""
        self._file(home).parent.mkdir(parents=True, exist_ok=True)
        ourselves = processes.look_up(os.getpid())
        started = ourselves.started if ourselves else 0
        self._file(home).write_text(json.dumps({"home": str(home), "pid": os.getpid(), "started": started}))

    def remove(self, home: Path) -> None:
        """It uses the engine no longer."""
        self._file(home).unlink(missing_ok=True)

    def others(self, home: Path) -> list[Path]:
        """The homes of other sandboxes that use it; those of which nothing runs are forgotten."""
        found = []
        for file in sorted(self._folder.glob("users/*")):
            content = json.loads(file.read_text())
            other = Path(content["home"])
            if other == home:
                continue
            if has_running(other) or _runs(content["pid"], content["started"]):
                found.append(other)
            else:
                file.unlink(missing_ok=True)
        return found

    def _file(self, home: Path) -> Path:
        return self._folder / "users" / hashlib.sha256(str(home).encode()).hexdigest()[:16]


def _runs(pid: int, started: int) -> bool:
    now = processes.look_up(pid)
    return now is not None and now.started == started
