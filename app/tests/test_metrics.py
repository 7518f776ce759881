"""What is counted."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from running import PATIENCE_SECONDS, RunningApp

from app.drain import DrainFlag
from app.exchange import Ended
from app.golden_set import Sample
from app.metrics import Metrics
from app.settings import Settings
from app.shared_counters import counted_in, shared_counters
from app.web import create_app

LABELS = "route", "status"


@pytest.fixture
def app(settings: Settings, leaving: DrainFlag) -> Flask:
    """The app, counting."""
    return create_app(settings, leaving, Metrics())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of it that gets a 500 where a handler fails, as in production."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


@pytest.fixture
def running(model_dir: Path) -> Iterator[RunningApp]:
    """The app with two workers, which stops at once."""
    with RunningApp({"MODEL_DIR": str(model_dir), "WORKERS": "2", "DRAIN_SECONDS": "0"}) as app:
        yield app


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Return route and status (where there is one) to value, where anything was counted."""
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        tuple(sample.labels[label] for label in LABELS if label in sample.labels): sample.value
        for sample in found
        if sample.name == name and sample.value
    }


def test_requests_are_counted_by_route_and_status(client: FlaskClient) -> None:
    """Each answer counts once under its own status, and is timed."""
    client.get("/version")
    client.get("/version")
    client.post("/score", data="no JSON")
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    assert samples(answer.text, "http_requests_total") == {("/version", "200"): 2, ("/score", "415"): 1}
    assert samples(answer.text, "http_request_duration_seconds_count") == {("/version",): 2, ("/score",): 1}


def test_nothing_counted_is_a_zero(client: FlaskClient) -> None:
    """Who compares two replicas can tell one without requests from one that does not count."""
    text = client.get("/metrics").text
    assert 'http_requests_total{route="/score",status="200"} 0.0' in text
    assert "/readyz" not in text


def test_a_handler_that_fails_is_counted(app: Flask, client: FlaskClient) -> None:
    """An exception in a handler is a 500, with a time."""
    app.view_functions["version"] = lambda: 1 / 0
    assert client.get("/version").status_code == 500
    text = client.get("/metrics").text
    assert samples(text, "http_requests_total") == {("/version", "500"): 1}
    assert samples(text, "http_request_duration_seconds_count") == {("/version",): 1}


def test_probes_and_unknown_addresses_are_not_counted(client: FlaskClient) -> None:
    """What machines ask, and addresses that the app does not have, make no counter."""
    for path in ("/healthz", "/readyz", "/metrics", "/nowhere"):
        client.get(path)
    assert samples(client.get("/metrics").text, "http_requests_total") == {}


def test_no_client_can_make_a_counter(client: FlaskClient) -> None:
    """Whatever is asked, and however, there are no more series than routes, statuses and labels."""
    client.get("/")
    before = len(client.get("/metrics").text.splitlines())
    for number in range(50):
        client.open(f"/nowhere/{number}?x={number}", method=f"M{number}")
        client.get("/", headers={"Host": f"host-{number}", "X-Request-ID": f"id-{number}"})
    assert len(client.get("/metrics").text.splitlines()) == before


def test_answers_are_counted_by_label_and_confidence(client: FlaskClient, golden: list[Sample]) -> None:
    """A label gets a counter once it occurs, and what the model was sure of falls into buckets."""
    text = client.get("/metrics").text
    assert "predictions_total{" not in text and "prediction_confidence_count 0.0" in text
    seven = next(sample for sample in golden if sample.label == "7")
    assert client.post("/score", json={"input": [seven.image, seven.image]}).status_code == 200
    text = client.get("/metrics").text
    assert 'predictions_total{label="7"} 2.0' in text and text.count("predictions_total{") == 1
    assert "prediction_confidence_count 2.0" in text and 'prediction_confidence_bucket{le="0.1"} 0.0' in text


def test_the_model_tells_its_name_and_release(settings: Settings, leaving: DrainFlag) -> None:
    """Whoever looks at numbers sees which release they belong to, and how long its model took to load."""
    settings.release_file.write_text('{"release": "r-7", "commit": "c0ffee", "model_digest": "sha256:00"}')
    text = create_app(settings, leaving, Metrics()).test_client().get("/metrics").text
    assert 'model_info{commit="c0ffee",digest="sha256:00",name="digits",release="r-7",version=""} 1.0' in text
    (seconds,) = [line.split()[1] for line in text.splitlines() if line.startswith("model_load_seconds ")]
    assert float(seconds) > 0


def test_the_queue_is_told(settings: Settings, leaving: DrainFlag) -> None:
    """How long requests wait is told as it is now and as it was; those sent away are counted, other 503s are not."""
    metrics, flask = Metrics(), Flask("queue")
    metrics.watch(flask, ["/score"], lambda pid: 0.25)
    unready = Ended("/score", "POST", "/score", 503, 0.1, 0.0, 1, 1, "", {})
    metrics.ended(unready)
    metrics.serves("digits", dict.fromkeys(("release", "commit", "model_version", "model_digest")), 1.0)
    metrics.ended(unready)
    metrics.ended(Ended("/score", "POST", "/score", 200, 0.3, 0.2, 1, 1, "", {}))
    text = flask.test_client().get("/metrics").text
    assert f'queue_seconds{{pid="{os.getpid()}"}} 0.25' in text
    assert "queue_refused_total 1.0" in text
    assert 'queue_wait_seconds_bucket{le="0.1"} 0.0' in text and 'queue_wait_seconds_bucket{le="0.25"} 1.0' in text


def test_any_worker_tells_the_sum(running: RunningApp) -> None:
    """Over new connections, which the workers share at random, each of 40 requests is counted exactly once."""
    for _ in range(40):
        assert running.get("/version") == 200
    for _ in range(10):
        assert running.counted("/version") == 40


def test_any_worker_tells_of_all_that_live(running: RunningApp) -> None:
    """Memory is told for each worker; what a killed one has left of its own values goes, what it counted stays."""
    for _ in range(40):
        assert running.get("/version") == 200
    victim, _ = running.wait_for_workers()
    os.kill(victim, signal.SIGKILL)
    running.wait_for_workers(without=victim)
    (workers,) = [sample for sample in running.metrics() if sample.name == "workers"]
    assert (workers.value, running.counted("/version")) == (2, 40)
    (folder,) = running.mapped_folders("digits-counters-")
    assert not list(folder.glob(f"gauge_live*_{victim}.db")) and list(folder.glob(f"counter_{victim}.db"))


def test_a_worker_that_just_starts_hides_nothing(running: RunningApp) -> None:
    """A worker makes its files first and fills them a moment later; whoever asks in between gets all counts."""
    assert running.get("/version") == 200
    (folder,) = running.mapped_folders("digits-counters-")
    for kind in ("counter", "histogram", "gauge_livemax"):
        (folder / f"{kind}_1.db").touch()
    assert running.counted("/version") == 1


def test_what_the_server_itself_refuses_is_counted_and_logged(model_dir: Path) -> None:
    """A request that is none never reaches a route; it counts under `-`, and is told like other failures."""
    told = {"MODEL_DIR": str(model_dir), "WORKERS": "2", "DRAIN_SECONDS": "0"}
    for requests, lines in (("failures", 1), ("none", 0)):
        with RunningApp(told | {"LOG_REQUESTS": requests}) as app:
            with socket.create_connection(("127.0.0.1", app.port), timeout=PATIENCE_SECONDS) as client:
                client.sendall(b"no request at all\r\n\r\n")
                assert client.recv(12) == b"HTTP/1.1 400"
            assert app.counted("-", "400") == 1
        assert app.output.count('"status":400') == lines


def test_the_folder_of_counters_leaves_with_the_app(running: RunningApp) -> None:
    """Nothing is left in memory or on the disk once the app has stopped."""
    # Not every folder of that name: other apps may start and stop on this machine meanwhile.
    folders = running.mapped_folders("digits-counters-")
    assert [folder.is_dir() for folder in folders] == [True]
    running.process.terminate()
    assert running.exit_code() == 0
    assert [folder.is_dir() for folder in folders] == [False]


def test_without_a_place_to_write_nothing_is_counted(
    tmp_path: Path, settings: Settings, leaving: DrainFlag, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app serves all the same, and has no `/metrics` that would tell one worker's share as the whole."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    with shared_counters((tmp_path / "missing",)):
        assert counted_in() is None
        assert create_app(settings, leaving).test_client().get("/metrics").status_code == 404
