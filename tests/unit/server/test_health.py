"""What a container's health check finds out, and what it says where something is wrong."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

from nocturne.server import health
from nocturne.server.health import SERVICES, Unwell, check, main, running

HEALTHY = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")}
MONITOR, OWN, TASKS = "/api/v2/monitor/health", "/health", "/execution/health"
Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(path, status, content)`: a server that has just this one answer, and one for tasks; its port."""
    with contextlib.ExitStack() as stack:

        def start(path: str, status: int = 200, content: object = HEALTHY, tasks: int = 200) -> int:
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler({path: status, TASKS: tasks}, content)))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        yield start


def handler(answers: Mapping[str, int], content: object) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(answers.get(self.path, 404))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nobody reads it."""

    return Handler


def asking(service: str, port: int) -> Mapping[str, str]:
    """The variables that send the check of a service to this port."""
    return {
        "api-server": {"AIRFLOW__API__PORT": str(port)},
        "scheduler": {"AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(port)},
    }.get(service, {"NOCTURNE_API_SERVER": f"http://127.0.0.1:{port}/"})


MONITORED = {"api-server": "metadatabase", "triggerer": "triggerer", "dag-processor": "dag_processor"}


def test_an_api_server_answers_tasks(serve: Serve) -> None:
    """An API server that reaches its database but does not answer tasks is not well."""
    with pytest.raises(Unwell, match="/execution/health answered with 503"):
        check("api-server", asking("api-server", serve(MONITOR, tasks=503)))


@pytest.mark.parametrize("service", MONITORED)
def test_a_monitored_service_is_as_the_api_server_says(serve: Serve, service: str) -> None:
    """Healthy passes; anything else is told with Airflow's own words."""
    check(service, asking(service, serve(MONITOR)))
    ill = HEALTHY | {MONITORED[service]: {"status": "unhealthy", "latest_heartbeat": "2026-11-20"}}
    with pytest.raises(Unwell, match=rf'{MONITORED[service]}: {{"status": "unhealthy".*2026-11-20'):
        check(service, asking(service, serve(MONITOR, 200, ill)))


@pytest.mark.parametrize("service", MONITORED)
def test_the_illness_of_another_service_is_its_own(serve: Serve, service: str) -> None:
    """A triggerer is not restarted because the DAG processor hangs."""
    others = {name: {"status": "unhealthy"} for name in HEALTHY} | {MONITORED[service]: {"status": "healthy"}}
    check(service, asking(service, serve(MONITOR, 200, others)))


def test_a_service_that_never_reported_is_not_well(serve: Serve) -> None:
    """Airflow says null of a triggerer that it has never heard of."""
    with pytest.raises(Unwell, match=r'triggerer: {"status": null}'):
        check("triggerer", asking("triggerer", serve(MONITOR, 200, HEALTHY | {"triggerer": {"status": None}})))


def test_the_scheduler_is_asked_itself(serve: Serve) -> None:
    """Its health server answers with a status alone, and with 503 when the heartbeat is old."""
    check("scheduler", asking("scheduler", serve(OWN, 200, b"")))
    with pytest.raises(Unwell, match="answered with 503 Service Unavailable, expected 200"):
        check("scheduler", asking("scheduler", serve(OWN, 503)))


@pytest.mark.parametrize("service", [*MONITORED, "scheduler"])
def test_who_does_not_answer_is_not_well(service: str) -> None:
    """The sentence names the address that was asked."""
    with pytest.raises(Unwell, match=r"http://127\.0\.0\.1:1/.*does not answer"):
        check(service, asking(service, 1))


@pytest.mark.parametrize("content", [b"<html>", [], b"\xff"])
def test_an_answer_that_is_none_is_told(serve: Serve, content: object) -> None:
    """A wrong server behind the address is not taken for Airflow."""
    with pytest.raises(Unwell, match="expected a JSON object"):
        check("api-server", asking("api-server", serve(MONITOR, 200, content)))


def test_a_proxy_for_the_outside_is_not_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers often have one in their environment; it knows nothing of a container's own addresses."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    check("api-server", asking("api-server", serve(MONITOR)))


def test_a_worker_answers_through_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of this name is well; one of another host's name says nothing about it."""
    # In memory both sides look for news once a second, each.
    monkeypatch.setattr("kombu.transport.virtual.base.Transport.polling_interval", 0.01)
    monkeypatch.setattr(health.socket, "gethostname", lambda: "here")
    worker = Celery(broker="memory://", backend="cache+memory://", set_as_current=False)
    with start_worker(worker, hostname="celery@here", pool="solo", perform_ping_check=False):
        check("worker", {"AIRFLOW__CELERY__BROKER_URL": "memory://"})
        monkeypatch.setattr(health, "TIMEOUT_SECONDS", 1.0)
        monkeypatch.setattr(health.socket, "gethostname", lambda: "there")
        with pytest.raises(Unwell, match="celery@there does not answer through the broker within 1 s"):
            check("worker", {"AIRFLOW__CELERY__BROKER_URL": "memory://"})


def test_a_broker_out_of_reach_keeps_its_password(tmp_path: Path) -> None:
    """The URL comes from where Airflow takes it, and what goes to the engine's record of health checks has no secret in it."""
    (tmp_path / "broker_url").write_text("redis://:geheim@127.0.0.1:1/0")
    with pytest.raises(Unwell, match="the broker does not answer") as unwell:
        check("worker", {"AIRFLOW__CELERY__BROKER_URL_CMD": f"cat {tmp_path / 'broker_url'}"})
    assert "geheim" not in str(unwell.value)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "found neither AIRFLOW__CELERY__BROKER_URL nor"),
        ({"AIRFLOW__CELERY__BROKER_URL_CMD": "cat /nowhere/at/all"}, "BROKER_URL_CMD fails: .*non-zero exit status 1"),
        ({"AIRFLOW__CELERY__BROKER_URL_CMD": "no-such-program"}, "BROKER_URL_CMD fails: .*no-such-program"),
    ],
)
def test_a_worker_without_a_broker_says_what_lacks(environment: Mapping[str, str], said: str) -> None:
    """Which variable it is that names the broker."""
    with pytest.raises(Unwell, match=said):
        check("worker", environment)


@pytest.mark.parametrize(
    ("commands", "service"),
    [
        ([b"/sbin/docker-init", b"--", b"airflow", b"scheduler"], "scheduler"),
        ([b"/home/airflow/.local/bin/python", b"/home/airflow/.local/bin/airflow", b"dag-processor"], "dag-processor"),
        ([b"airflow api_server -- host:0.0.0.0 port:8080"], "api-server"),
        ([b"/sbin/docker-init", b"--", b"airflow", b"celery", b"worker", b"--concurrency", b"2"], "worker"),
        ([b"airflow", b"triggerer", b""], "triggerer"),
        ([b"nocturne", b"server", b"setup"], ""),
        ([b"airflow", b"db", b"migrate"], ""),
        ([b"redis-cli", b"worker"], ""),
    ],
)
def test_the_command_line_says_which_service_it_is(commands: list[bytes], service: str) -> None:
    """With an init before it, with Python before it, as Airflow renames it; other commands are no service."""
    assert running(commands) == service


def test_the_exit_code_and_a_line_are_the_answer(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 and nothing when all is well, 1 and a line that names the service when not."""
    monkeypatch.setenv("AIRFLOW__API__PORT", str(serve(MONITOR)))
    assert (main(["api-server"]), capsys.readouterr().out) == (0, "")
    monkeypatch.setenv("AIRFLOW__API__PORT", "1")
    assert main(["api-server"]) == 1
    assert capsys.readouterr().out.startswith("api-server: http://127.0.0.1:1/api/v2/monitor/health does not answer: ")


def test_a_service_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt argument is no good health."""
    assert main(["sheduler"]) == 1
    assert capsys.readouterr().out.strip().endswith(f"expected one of {', '.join(SERVICES)}")
