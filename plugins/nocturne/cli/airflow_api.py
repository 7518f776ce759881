"""Airflow's public REST API, so that what a command asks for is in Airflow's own audit log.

Source: https://airflow.apache.org/docs/apache-airflow/3.3.2/stable-rest-api-ref.html
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from nocturne.cli.exit_codes import UsageError
from nocturne.domain.errors import Broken, NotFound
from nocturne.ports.connections import Connection

CONNECTION = "nocturne_airflow"


@dataclass(frozen=True)
class TaskState:
    """One task of a run.

    id: of the task instance. state: None before it is scheduled. try_number: counts from 1. ended_at: RFC 3339.
    """

    id: str
    name: str
    state: str | None
    try_number: int
    ended_at: str | None


class AirflowApi:
    """Signs in when it is first used. Every method raises Broken when Airflow is out of reach."""

    def __init__(self, connection: Connection) -> None:
        scheme = connection.extra.get("schema", "http")
        host = connection.host if "://" in connection.host else f"{scheme}://{connection.host}"
        self.url = f"{host}:{connection.port}" if connection.port else host
        self._login, self._password = connection.login, connection.password
        self._client = httpx.Client(base_url=self.url, timeout=30)
        self._token = ""

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run now; its id."""
        body = {"logical_date": None, "conf": conf}
        run_id: str = self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"]
        return run_id

    def run_state(self, dag_id: str, run_id: str) -> str:
        """`queued`, `running`, `success` or `failed`."""
        state: str = self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}")["state"]
        return state

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """All tasks of a run, in no order."""
        found = self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances")["task_instances"]
        return [TaskState(item["id"], item["task_id"], item["state"], item["try_number"], item["end_date"]) for item in found]

    def xcom(self, dag_id: str, run_id: str, task: str, key: str) -> Any:
        """A value that a task left, None when it left none."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task}/xcomEntries/{key}"
        try:
            return self.ask("GET", path)["value"]
        except NotFound:
            return None

    def import_errors(self) -> list[tuple[str, str]]:
        """(file, text) of each DAG file that Airflow cannot load."""
        found = self.ask("GET", "/api/v2/importErrors")["import_errors"]
        return [(item["filename"], item["stack_trace"]) for item in found]

    def health(self) -> dict[str, str]:
        """Airflow's parts and how they are."""
        found = self.ask("GET", "/api/v2/monitor/health")
        return {part: state["status"] for part, state in found.items() if state and state.get("status")}

    def ask(self, method: str, path: str, **arguments: Any) -> Any:
        """The parsed answer to any request below the API's address. Raises NotFound, UsageError (bad arguments) or Broken."""
        try:
            if not self._token:
                self._token = self._sign_in()
            response = self._client.request(method, path, headers={"Authorization": f"Bearer {self._token}"}, **arguments)
        except httpx.TransportError as error:
            advice = "start it: `make up` on one machine, `docker compose up --detach` on a server"
            raise Broken(f"Airflow does not answer at {self.url}: {error}", advice=advice) from error
        if response.status_code == 401:
            # Too old, or from before Airflow was started with another key: the next request signs in again.
            self._token = ""
        if response.status_code == 404:
            raise NotFound(f"Airflow has no {path}: {_detail(response)}", advice="see `nocturne doctor`")
        if response.status_code in (400, 422):
            advice = "correct the options, see `--help`; where the DAG has import errors, `nocturne doctor` tells them"
            raise UsageError(f"Airflow refuses the request: {_detail(response)}", advice=advice)
        if response.is_error:
            raise Broken(f"Airflow answers {response.status_code} to {method} {path}: {_detail(response)}", advice="see its log")
        return response.json()

    def _sign_in(self) -> str:
        response = self._client.post("/auth/token", json={"username": self._login, "password": self._password})
        if response.is_error:
            raise Broken(
                f"Airflow refuses the sign-in of {self._login!r} with {response.status_code}",
                advice="see its log" if response.is_server_error else f"correct the connection {CONNECTION}",
            )
        token: str = response.json()["access_token"]
        return token


def _detail(response: httpx.Response) -> str:
    try:
        # After an empty line follows the schema that a value does not fit.
        return str(response.json().get("detail", response.text)).partition("\n\n")[0][:500]
    except (ValueError, AttributeError):
        return response.text[:500]
