"""The few questions that the sandbox asks Airflow's REST API.

Source: https://airflow.apache.org/docs/apache-airflow/3.3.2/stable-rest-api-ref.html
"""

from typing import Any

from nocturne.sandbox.loopback import loopback_client


class AirflowApi:
    """A session that logs in when it must; every method raises httpx.HTTPError when Airflow does not answer."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._client = loopback_client(url)
        self._login = {"username": user, "password": password}

    def health(self) -> dict[str, dict[str, str | None]]:
        """Each component with its status and last report; asked without a login."""
        answer = self._client.get("/api/v2/monitor/health")
        answer.raise_for_status()
        found: dict[str, dict[str, str | None]] = answer.json()
        return found

    def read_files(self) -> set[str]:
        """The DAG files that were read, well or not, below the folder of DAGs."""
        return {dag["relative_fileloc"] for dag in self._all("/api/v2/dags", "dags")} | set(self.import_errors())

    def import_errors(self) -> dict[str, str]:
        """DAG files that cannot be imported, with the trace."""
        return {item["filename"]: item["stack_trace"] for item in self._all("/api/v2/importErrors", "import_errors")}

    def _all(self, path: str, key: str) -> list[dict[str, Any]]:
        if "Authorization" not in self._client.headers:
            login = self._client.post("/auth/token", json=self._login)
            login.raise_for_status()
            self._client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        answer = self._client.get(path, params={"limit": 1000})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()[key]
        return found
