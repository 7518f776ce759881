"""How the tests end a container's processes, which must never be their own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.e2e.app_repository import AppRepository
from tests.server.stack import Stack


class Restarting(Stack):
    """A stack of one container, of which Docker tells one process after another."""

    processes: Iterator[int]

    def containers(self) -> dict[str, list[Any]]:
        return {"redis": [SimpleNamespace(attrs={"State": {"Pid": next(self.processes)}})]}


def test_a_container_between_two_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker calls the process of a container that is starting anew 0, which is nothing to send a signal to."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append((process, number)))
    monkeypatch.setattr(Restarting, "processes", iter([0, 0, 4711]), raising=False)
    Restarting(AppRepository(Path()), {}, "", 0).kill("redis")
    assert sent == [(4711, signal.SIGKILL)]
