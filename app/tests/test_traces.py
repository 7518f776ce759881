"""Traces of requests, as a collector gets them."""

import json
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from collector import Collector
from running import ROOT, RunningApp

from app.traces import start_traces, traces_wanted

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
RELEASE: dict[str, str | None] = {"release": "r-7", "commit": "c0ffee", "model_version": None}


def settings(model_dir: Path, tmp_path: Path, endpoint: str, **more: str) -> dict[str, str]:
    file = tmp_path / "release.json"
    file.write_text(json.dumps(RELEASE))
    told = {"MODEL_DIR": str(model_dir), "WORKERS": "1", "RELEASE_FILE": str(file), "DRAIN_SECONDS": "0"}
    return told | {ENDPOINT: endpoint} | more


def ask(app: RunningApp, path: str, **headers: str) -> None:
    connection = app.connect()
    connection.request("GET", path, headers={"Connection": "close"} | headers)
    connection.getresponse().read()
    connection.close()


def test_each_request_is_a_span_that_is_sent_before_the_end(model_dir: Path, tmp_path: Path) -> None:
    """A request is a server span under its client's, a probe none. What is unsent at the end is sent then."""
    with Collector() as collector:
        app = RunningApp(settings(model_dir, tmp_path, collector.endpoint, OTEL_BSP_SCHEDULE_DELAY="60000"))
        with app:
            ask(app, "/version", Traceparent=f"00-{TRACE}-{PARENT}-01")
            ask(app, "/nowhere")
    assert collector.paths == {"/v1/traces"}
    resource = collector.resources[0]
    facts = "service.name", "service.version", "vcs.ref.head.revision"
    assert [resource[fact] for fact in facts] == ["digits", "r-7", "c0ffee"]
    (span, told), (unknown, unknown_told) = collector.spans
    assert (span.name, span.kind, span.status.code) == ("GET /version", 2, 0)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 60e9
    assert (told["http.request.method"], told["http.route"], told["http.response.status_code"]) == (
        "GET",
        "/version",
        200,
    )
    assert (told["url.path"], told["app.release"], told["app.queue.seconds"]) == ("/version", "r-7", 0.0)
    assert unknown.name == "GET" and "http.route" not in unknown_told and unknown.trace_id.hex() != TRACE
    (logged,) = [line for line in map(json.loads, app.output.splitlines()) if line.get("path") == "/nowhere"]
    assert logged["trace_id"] == unknown.trace_id.hex()


def test_what_the_operator_names_goes_before(model_dir: Path, tmp_path: Path) -> None:
    """The standard variables rename the service and add facts about it."""
    named = {"OTEL_SERVICE_NAME": "reader", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=night"}
    with Collector() as collector, RunningApp(settings(model_dir, tmp_path, collector.endpoint, **named)) as app:
        ask(app, "/version")
    resource = collector.resources[0]
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("reader", "night")


def test_a_dead_collector_costs_one_line_and_no_long_wait(model_dir: Path, tmp_path: Path) -> None:
    """Nobody listens there: the app answers all, stops in time, and says so once."""
    app = RunningApp(settings(model_dir, tmp_path, "http://127.0.0.1:9", OTEL_BSP_SCHEDULE_DELAY="100"))
    with app:
        for _ in range(5):
            ask(app, "/version")
            time.sleep(0.15)
        assert app.get("/version") == 200
        app.process.terminate()
        assert app.exit_code() == 0
    lines = [json.loads(line) for line in app.output.splitlines()]
    assert len([line for line in lines if "opentelemetry" in line["logger"]]) == 1


def test_unconfigured_they_are_not_even_imported() -> None:
    """An app that sends no traces does not pay for the libraries."""
    code = (
        "import sys; from app.traces import start_traces; from app import web, metrics\n"
        "print(start_traces('x', {}, {}), [name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["None", "[]"]


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, False),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_the_standard_variables_turn_them_on_and_off(
    caplog: pytest.LogCaptureFixture, more: dict[str, str], wanted: bool
) -> None:
    """What the app cannot do is said, what the operator turned off is not."""
    assert not traces_wanted(more)
    assert traces_wanted({ENDPOINT: "http://localhost:4318"} | more) is wanted
    assert bool(caplog.records) == ("console" in more.values() or ("grpc" in more.values() and not wanted))


def test_variables_that_cannot_work_stop_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app serves without traces, and the log says why."""
    caplog.set_level(logging.ERROR)
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1")
    environment: dict[str, Any] = {ENDPOINT: "http://127.0.0.1:9"}
    assert start_traces("x", RELEASE, environment) is None
    assert "OTEL_" in caplog.text
