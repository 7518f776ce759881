from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nocturne.airflow.operators import release_operator
from tests.fakes.world import FakeWorld


class Task:
    """Remembers what a task leaves for others."""

    def __init__(self) -> None:
        self.left: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.left[key] = value


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    """The world that operators find."""
    found = FakeWorld(tmp_path)
    monkeypatch.setattr(release_operator, "deployed_world", lambda: found)
    return found


def context_of(number: int) -> Any:
    """What Airflow gives to a task of a night."""
    run = SimpleNamespace(dag_id="nightly_release", run_id=str(number), triggering_user_name=None)
    return {"ti": Task(), "dag_run": run, "params": {}}
