import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from nocturne.cli.airflow_api import AirflowApi
from nocturne.cli.exit_codes import UsageError, exit_code
from nocturne.domain.errors import Broken, NotFound
from nocturne.ports.connections import Connection
from tests.serving import serving

# As Airflow 3.3 tells what jsonschema says.
TOO_SHORT = (
    "Invalid input for param reason: 'no' is too short\n\n"
    "Failed validating 'minLength' in schema:\n    {'type': 'string', 'minLength': 3}\n\nOn instance:\n    'no'"
)


class Airflow(ThreadingHTTPServer):
    """Signs everybody in, unless there is a refusal: the status that says so.

    answers: status and detail of the next requests; then 200 with the token that was shown.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.tokens = 0
        self.refusal = 0


class _Handler(BaseHTTPRequestHandler):
    server: Airflow

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/auth/token" and not self.server.refusal:
            self.server.tokens += 1
            self._send(201, {"access_token": str(self.server.tokens)})
        elif self.path == "/auth/token":
            self._send(self.server.refusal, {"detail": "no"})
        else:
            self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        status, detail = self.server.answers.pop(0) if self.server.answers else (200, "")
        self._send(status, {"detail": detail, "shown": self.headers["Authorization"]})

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def airflow() -> Iterator[Airflow]:
    server = Airflow()
    with serving(server):
        yield server


@pytest.fixture
def api(airflow: Airflow) -> AirflowApi:
    return AirflowApi(Connection("nocturne_airflow", host="127.0.0.1", port=airflow.server_address[1], login="a", password="b"))


@pytest.mark.parametrize("status", [400, 422])
def test_arguments_that_airflow_refuses(airflow: Airflow, api: AirflowApi, status: int) -> None:
    """They are wrong usage, not a refused release: exit code 2, with Airflow's sentence and without its schema."""
    airflow.answers = [(status, TOO_SHORT)]
    with pytest.raises(UsageError) as raised:
        api.trigger("rollback", {"reason": "no"})
    assert (exit_code(raised.value), raised.value.word) == (2, "wrong usage")
    assert raised.value.message == "Airflow refuses the request: Invalid input for param reason: 'no' is too short"
    assert raised.value.advice


def test_what_airflow_does_not_have(airflow: Airflow, api: AirflowApi) -> None:
    """A DAG that is not there is exit code 5."""
    airflow.answers = [(404, "Dag with dag_id: 'rollback' not found")]
    with pytest.raises(NotFound, match="not found") as raised:
        api.trigger("rollback", {})
    assert exit_code(raised.value) == 5


def test_airflow_is_away() -> None:
    """The advice is for this machine and for a server."""
    api = AirflowApi(Connection("nocturne_airflow", host="127.0.0.1", port=1))
    with pytest.raises(Broken, match="Airflow does not answer") as raised:
        api.health()
    assert "`make up`" in raised.value.advice
    assert "`docker compose up --detach`" in raised.value.advice


@pytest.mark.parametrize(("status", "advice"), [(401, "correct the connection nocturne_airflow"), (503, "see its log")])
def test_nobody_is_signed_in(airflow: Airflow, api: AirflowApi, status: int, advice: str) -> None:
    """A wrong password is the connection's fault; a server that is not up yet is not."""
    airflow.refusal = status
    with pytest.raises(Broken, match=f"the sign-in of 'a' with {status}") as raised:
        api.health()
    assert raised.value.advice == advice


def test_a_token_that_is_no_longer_good(airflow: Airflow, api: AirflowApi) -> None:
    """Airflow that was started again with another key refuses it once; the next request signs in again."""
    assert api.ask("GET", "/api/v2/version")["shown"] == "Bearer 1"
    airflow.answers = [(401, "Signature verification failed")]
    with pytest.raises(Broken, match="401"):
        api.ask("GET", "/api/v2/version")
    assert api.ask("GET", "/api/v2/version")["shown"] == "Bearer 2"
