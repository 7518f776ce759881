from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox.airflow_api import AirflowApi
from nocturne.sandbox.airflow_server import AirflowServer
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.settings import Settings


class FakeApi(AirflowApi):
    """Says of Airflow what the test wants."""

    def __init__(self) -> None:
        self.reported = datetime.now(UTC) + timedelta(seconds=5)
        self.state = "healthy"
        self.files = {"night.py"}
        self.errors: dict[str, str] = {}
        self.away = False

    def health(self) -> dict[str, dict[str, Any]]:
        if self.away:
            raise httpx.ConnectError("refused")
        names = ("scheduler", "triggerer", "dag_processor")
        components = {name: {"status": "healthy", f"latest_{name}_heartbeat": self.reported.isoformat()} for name in names}
        components["triggerer"]["status"] = self.state
        return {"metadatabase": {"status": "healthy"}, **components}

    def read_files(self) -> set[str]:
        return self.files

    def import_errors(self) -> dict[str, str]:
        return self.errors


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def server(settings: Settings, api: FakeApi) -> Iterator[AirflowServer]:
    """Airflow as far as its process goes: one runs, and the clone has one DAG and a file that is none."""
    (settings.clone / "dags").mkdir(parents=True)
    (settings.clone / "dags" / "night.py").write_text("from airflow.sdk import dag")
    (settings.clone / "dags" / "words.py").write_text("HELLO = 1")
    (settings.clone / "plugins").mkdir()
    (settings.clone / "plugins" / "plugin.py").write_text("")
    (settings.clone / "uv.lock").write_text("1")
    found = AirflowServer(settings, Programs(settings.logs))
    found.__dict__["api"] = api
    found.process.start(["sleep", "60"], {})
    yield found
    found.process.stop()


def test_it_is_healthy_when_all_reported_and_all_was_read(server: AirflowServer) -> None:
    """Four healthy components and every DAG file read make it ready; a file without a DAG is not waited for."""
    assert server.healthy()


def test_a_report_from_before_the_start_does_not_count(server: AirflowServer, api: FakeApi) -> None:
    """What the last run left in the database is not taken for life."""
    api.reported = server.process.started_at() - timedelta(seconds=1)
    assert not server.healthy()


def test_one_sick_component_is_enough(server: AirflowServer, api: FakeApi) -> None:
    """It is not healthy while its triggerer is not."""
    api.state = "unhealthy"
    assert not server.healthy()


def test_a_dag_that_was_not_read_yet_is_waited_for(server: AirflowServer, api: FakeApi) -> None:
    """It is not ready before its DAGs can be run."""
    api.files = set()
    assert not server.healthy()


def test_no_answer_is_not_healthy(server: AirflowServer, api: FakeApi) -> None:
    """A refused connection is an answer to the question, not an error."""
    api.away = True
    assert not server.healthy()


def test_a_dag_that_cannot_be_imported_is_broken(server: AirflowServer, api: FakeApi) -> None:
    """The trace that Airflow has is shown at once."""
    api.errors = {"night.py": "ImportError: no module named moon"}
    with pytest.raises(Broken, match="no module named moon"):
        server.settle()


def test_a_changed_plugin_makes_it_out_of_date(server: AirflowServer, settings: Settings) -> None:
    """Its long-running components hold plugins in memory, so a change must start them anew."""
    before = server.version()
    assert server.version() == before
    (settings.clone / "plugins" / "plugin.py").write_text("x = 1")
    assert server.version() != before
