"""What is logged, and how."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from running import ROOT, RunningApp

from app.exchange import Ended
from app.logs import JsonLines, LogSettings, TextLines, read_log_settings
from app.request_log import RequestLog

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def requests_log() -> Iterator[StringIO]:
    """What is logged of requests from now on, as JSON lines of the release r-1."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines("r-1"))
    logger = logging.getLogger("app.requests")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def request(status: int = 200, path: str = "/score", route: str | None = "/score", **more: Any) -> Ended:
    fields = {"seconds": 0.0123, "waited": 0.01, "bytes_in": 7, "bytes_out": 9, "request_id": "id-1", "environ": {}}
    return Ended(route=route, method="POST", path=path, status=status, **(fields | more))


def record(message: str, **more: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "name": "app.x", "levelname": "INFO", "created": 0.25, **more})


def test_a_line_tells_all_of_a_request_but_its_secrets(requests_log: StringIO) -> None:
    """Machines find each fact under its own name; bodies, headers, parameters and addresses of clients are not told."""
    environ = {
        "HTTP_TRACEPARENT": f"00-{TRACE}-b7ad6b7169203331-01",
        "QUERY_STRING": "key=secret",
        "REMOTE_ADDR": "9.9.9.9",
    }
    RequestLog(LogSettings()).ended(request(415, environ=environ | {"HTTP_AUTHORIZATION": "Bearer secret"}))
    told = json.loads(requests_log.getvalue())
    assert told.pop("time").endswith("Z") and told.pop("message") == "POST /score 415 in 12.3 ms, request id-1"
    assert told == {
        "level": "info",
        "logger": "app.requests",
        "release": "r-1",
        "request_id": "id-1",
        "trace_id": TRACE,
        "method": "POST",
        "route": "/score",
        "path": "/score",
        "status": 415,
        "milliseconds": 12.3,
        "queue_milliseconds": 10.0,
        "bytes_in": 7,
        "bytes_out": 9,
    }


@pytest.mark.parametrize(
    ("which", "told"),
    [("failures", [404, 500, 503]), ("all", [200, 404, 500, 503, 200, 503]), ("none", [500])],
)
def test_an_operator_chooses_which_requests_are_told(requests_log: StringIO, which: str, told: list[int]) -> None:
    """Normally failures but those of probes; never is an exception left out."""
    log = RequestLog(LogSettings(requests=which))
    failed = request(500, error="Traceback ...\nZeroDivisionError")
    probes = [request(200, route="/readyz"), request(503, route="/readyz")]
    for ended in (request(200), request(404, route=None), failed, request(503), *probes):
        log.ended(ended)
    lines = [json.loads(line) for line in requests_log.getvalue().splitlines()]
    assert [line["status"] for line in lines] == told
    assert [line["exception"] for line in lines if line["status"] == 500] == ["Traceback ...\nZeroDivisionError"]
    assert {line["status"]: line["level"] for line in lines}[500] == "error"


@pytest.mark.parametrize("path", ["/a\nINFO all is well", "/\r\n\x1b[2J", "/\ud800", "/" + "long" * 9999, '/"}'])
def test_no_address_can_forge_or_break_a_line(requests_log: StringIO, path: str) -> None:
    """Whatever a client asks for, it stays inside one line of JSON and one of text."""
    ended = request(404, path, None)
    RequestLog(LogSettings()).ended(ended)
    (line,) = requests_log.getvalue().splitlines()
    assert json.loads(line)["path"] == path[:500] and len(line) < 2000
    text = TextLines().format(record(f"GET {path} 404"))
    assert text.isprintable() or path == "/\ud800"
    assert len(text.splitlines()) == 1


def test_an_exception_is_one_member_of_a_line() -> None:
    """In JSON its traceback takes no line of its own; in text its lines are indented."""
    try:
        raise ValueError("bad\n12:00:00 info    all is well")
    except ValueError:
        failed = record("it failed", exc_info=sys.exc_info())
    told = json.loads(JsonLines(None).format(failed))
    assert told["time"] == "1970-01-01T00:00:00.250Z"
    assert told["exception"].startswith("Traceback") and "ValueError: bad\n" in told["exception"]
    first, *others = TextLines().format(failed).splitlines()
    assert first.endswith("info    it failed") and others and all(line.startswith("    ") for line in others)


def test_what_json_does_not_know_is_told_as_text() -> None:
    """A log line is never lost because of what it holds."""
    told = json.loads(JsonLines(None).format(record("x", fields={"where": ROOT, "number": 2**70})))
    assert told["where"] == str(ROOT) and told["number"]


def test_settings_name_what_is_allowed() -> None:
    """Letters may be large or small; another word is a fault that says what was expected."""
    faults: list[str] = []
    told = read_log_settings({"LOG_FORMAT": "TEXT", "LOG_REQUESTS": "all", "LOG_LEVEL": "Warning"}, faults)
    assert (told, faults) == (LogSettings("text", "all", "warning"), [])
    read_log_settings({"LOG_FORMAT": "xml", "LOG_LEVEL": "loud"}, faults)
    assert faults[0] == "LOG_FORMAT is 'xml'; expected json or text. Correct or unset it."
    assert "debug, info, warning or error" in faults[1]


def test_every_line_of_the_app_and_its_server_is_json(model_dir: Any, tmp_path: Any) -> None:
    """Nothing but JSON lines with the release comes out, from the start to the end, and all on stderr."""
    release = tmp_path / "release.json"
    release.write_text('{"release": "r-7"}')
    told = {"MODEL_DIR": str(model_dir), "WORKERS": "2", "RELEASE_FILE": str(release), "DRAIN_SECONDS": "0"}
    app = RunningApp(told, stderr=subprocess.PIPE)
    with app:
        assert app.get("/nowhere") == 404
    lines = [json.loads(line) for line in app.errors.splitlines()]
    assert app.output == ""
    assert {line["release"] for line in lines} == {"r-7"}
    assert lines[0]["logger"] == "app.server" and "with 2 workers" in lines[0]["message"]
    assert [line["path"] for line in lines if line.get("status")] == ["/nowhere"]
