"""A sandbox of the tests' own: another home, other names, free ports."""

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.sandbox.processes import family
from nocturne.sandbox.settings import Settings

_PORTS = ("APP", "AIRFLOW", "REGISTRY", "BLOB", "TASK_LOG", "TRIGGER_LOG")
_TEST = "NOCTURNE_SANDBOX_TEST"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    ports = dict(zip((f"NOCTURNE_{name}_PORT" for name in _PORTS), map(str, free_ports(len(_PORTS))), strict=True))
    return Settings.from_environment(
        {**ports, "NOCTURNE_HOME": str(tmp_path / "home"), "NOCTURNE_NAME": f"test-{secrets.token_hex(4)}"}
    )


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test leaves a process behind."""
    token = secrets.token_hex(8)
    monkeypatch.setenv(_TEST, token)
    yield
    left = [info.pid for info in family(f"{_TEST}={token}") if info.pid != os.getpid()]
    assert left == []


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
