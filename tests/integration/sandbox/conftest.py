"""A sandbox of the tests' own: another home, other names, free ports."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.sandbox.processes import family
from nocturne.sandbox.settings import Settings
from tests.ports import free_port

_PORTS = ("APP", "AIRFLOW", "REGISTRY", "BLOB", "TASK_LOG", "TRIGGER_LOG")
_TEST = "NOCTURNE_SANDBOX_TEST"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    ports = dict(zip((f"NOCTURNE_{name}_PORT" for name in _PORTS), (str(free_port()) for _ in _PORTS), strict=True))
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
