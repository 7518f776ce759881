"""Airflow: `airflow standalone`, which is scheduler, DAG processor, triggerer and API server under one parent."""

import hashlib
import json
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import httpx

from nocturne.adapters.private_file import write_private
from nocturne.domain.errors import Broken
from nocturne.sandbox.airflow_api import AirflowApi
from nocturne.sandbox.environment import environment
from nocturne.sandbox.progress import Report
from nocturne.sandbox.secret_file import load_or_make
from nocturne.sandbox.server import Server

_COMPONENTS = {
    "metadatabase": None,
    "scheduler": "latest_scheduler_heartbeat",
    "triggerer": "latest_triggerer_heartbeat",
    "dag_processor": "latest_dag_processor_heartbeat",
}


class AirflowServer(Server):
    """Ready when all four components have reported since their start and every DAG file was read."""

    name = "airflow"
    start_seconds = 240.0
    stop_seconds = 20.0

    def prepare(self, report: Report) -> None:
        """Leave the password where Airflow's login looks for it; the database makes itself on the first start."""
        home = self.settings.home / "airflow"
        home.mkdir(parents=True, exist_ok=True)
        secrets = load_or_make(self.settings.home)
        passwords = json.dumps({secrets.airflow_user: secrets.airflow_password})
        write_private(home / "simple_auth_manager_passwords.json.generated", passwords)

    def command(self) -> list[str]:
        """Found on the PATH of `environment`, as standalone itself looks for its children there."""
        return ["airflow", "standalone"]

    def environment(self) -> dict[str, str]:
        """All of the sandbox: Airflow's tasks are who needs the connections."""
        return {**super().environment(), **environment(self.settings)}

    def version(self) -> str:
        """A hash of what its long-running components keep in memory: the plugins and the locked dependencies."""
        files = [self.settings.clone / "uv.lock", *sorted((self.settings.clone / "plugins").rglob("*.py"))]
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file}\n".encode())
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def healthy(self) -> bool:
        """Whether everything is up and the DAGs are there to be run."""
        try:
            return self._reported(self.api.health()) and self._dag_files() <= self.api.read_files()
        except httpx.HTTPError:
            return False

    def address(self) -> str:
        """The UI's address."""
        return self.settings.airflow_url

    def settle(self) -> None:
        """Raises Broken when a DAG file cannot be imported, with Airflow's own words."""
        errors = self.api.import_errors()
        if errors:
            listing = "\n".join(f"{name}:\n{trace.rstrip()}" for name, trace in errors.items())
            raise Broken(
                f"Airflow runs, but cannot import every DAG file:\n{listing}",
                advice="correct the file; Airflow reads it again by itself",
            )

    @cached_property
    def api(self) -> AirflowApi:
        """Airflow's API, as the sandbox' user."""
        secrets = load_or_make(self.settings.home)
        return AirflowApi(f"http://127.0.0.1:{self.settings.airflow_port}", secrets.airflow_user, secrets.airflow_password)

    def _reported(self, health: dict[str, dict[str, str | None]]) -> bool:
        # A component that was killed counts as healthy until its last report is 30 s old.
        started = self.process.started_at()
        for component, heartbeat in _COMPONENTS.items():
            if health.get(component, {}).get("status") != "healthy":
                return False
            if heartbeat and _time(health[component].get(heartbeat)) < started:
                return False
        return True

    def _dag_files(self) -> set[str]:
        folder = self.settings.clone / "dags"
        # Airflow leaves out files that mention neither word; so must the list of those to wait for.
        return {str(file.relative_to(folder)) for file in folder.rglob("*.py") if _may_contain_dag(file)}


def _may_contain_dag(file: Path) -> bool:
    content = file.read_bytes().lower()
    return b"dag" in content and b"airflow" in content


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
