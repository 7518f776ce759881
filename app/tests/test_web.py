"""The other addresses: what the app says about itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import ImATeapot

from app.drain import DrainFlag
from app.flask_problems import flask_problem
from app.settings import Settings
from app.web import create_app

RELEASE = {"release": "r-1", "commit": "c0ffee", "tree": "3f2a", "model_version": "7", "model_digest": "sha256:00"}


def test_the_root_says_healthy(client: FlaskClient) -> None:
    """The root answers one word of plain text."""
    answer = client.get("/")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "Healthy", "text/plain")


def test_an_app_with_a_model_is_alive_and_ready(client: FlaskClient) -> None:
    """Both probes are content."""
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)


def test_an_app_without_a_model_says_what_it_missed_and_where(
    settings: Settings, leaving: DrainFlag, tmp_path: Path
) -> None:
    """Without a model the app lives, is unready, and tells the way out."""
    client = create_app(replace(settings, model_dir=tmp_path), leaving).test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert str(tmp_path) in answer.json["error"] and "MODEL_DIR" in answer.json["error"]
    assert str(tmp_path / "model.json") in answer.json["faults"][0]
    assert client.post("/score", json={"input": []}).status_code == 503


def test_a_leaving_app_is_unready_and_closes_connections(client: FlaskClient, leaving: DrainFlag) -> None:
    """Once the flag is raised, `/readyz` is 503 and every answer asks clients to come back over another connection."""
    assert "Connection" not in client.get("/").headers
    leaving.raise_()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert client.get("/").headers["Connection"] == "close"


def test_version_tells_the_release(settings: Settings, leaving: DrainFlag) -> None:
    """What the release file says is what `/version` answers."""
    settings.release_file.write_text(json.dumps(RELEASE | {"more": 1}))
    told = create_app(settings, leaving).test_client().get("/version").json
    assert told == RELEASE | {"model": "digits", "since": settings.since.isoformat(timespec="seconds")}


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_version_tells_nulls_without_a_good_release_file(
    settings: Settings, leaving: DrainFlag, content: str | None
) -> None:
    """A missing or damaged release file stops nothing."""
    if content is not None:
        settings.release_file.write_text(content)
    told = create_app(settings, leaving).test_client().get("/version").json
    assert {field: told[field] for field in RELEASE} == dict.fromkeys(RELEASE)


@pytest.mark.parametrize("told", [5, ["r-1"], "r-1\r\nX-More: 1", "r-\u2028", "", True])
def test_a_fact_that_is_no_plain_text_is_told_by_a_null(
    settings: Settings, leaving: DrainFlag, told: object, caplog: pytest.LogCaptureFixture
) -> None:
    """It would else be in a header of every answer, and no answer could be sent."""
    settings.release_file.write_text(json.dumps(dict.fromkeys(RELEASE, told) | {"commit": "c0ffee"}))
    answer = create_app(settings, leaving).test_client().get("/version")
    assert (answer.json["release"], answer.json["model_version"], answer.json["commit"]) == (None, None, "c0ffee")
    assert answer.headers["X-Release"] == "none"
    assert ("expected a text" in caplog.text) == (told != "")


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/nowhere", 404, "found /nowhere; expected an address of /openapi.json"),
        ("GET", "/n%C3%B6%0A?a=b", 404, "found /n%C3%B6%0A; expected an address of /openapi.json"),
        ("GET", "/page/0/other.js", 404, "found 'other.js'; expected a file of the page, such as page.css"),
        ("POST", "/healthz", 405, "found POST; expected GET or HEAD or OPTIONS"),
        ("GET", "/v2/repository/index", 405, "found GET; expected OPTIONS or POST"),
        ("GET", "/score", 405, "found GET; expected POST"),
    ],
)
def test_an_error_says_what_was_found_and_expected(
    client: FlaskClient, method: str, path: str, status: int, detail: str
) -> None:
    """An unknown address or method is answered like any other error, in the app's own words."""
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["detail"] == answer.json["error"] == detail
    assert (status == 405) == ("Allow" in answer.headers)


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "a" * 5000])
def test_a_host_that_cannot_be_is_told(client: FlaskClient, host: str) -> None:
    shown = host if len(host) < 80 else f"{host[:77]}..."
    answer = client.get("/healthz", environ_overrides={"HTTP_HOST": host})
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json["detail"] == f"found Host: {shown}; expected a host's name, or its address"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/" + "a" * 5000), ("GET", "/" + "%00" * 5000), ("B" * 5000, "/healthz")]
)
def test_an_error_repeats_no_more_than_the_beginning(client: FlaskClient, method: str, path: str) -> None:
    assert len(client.open(path, method=method).json["detail"]) < 200
    assert len(client.get("/page/0/" + "a" * 5000).json["detail"]) < 200


def test_whatever_else_is_refused_is_told_in_plain_words() -> None:
    """No view does that now; Flask and Werkzeug may."""
    problem = flask_problem(ImATeapot(), "GET", "/healthz", "localhost")
    assert (problem.status, problem.detail) == (
        418,
        "found a request that cannot be answered (I'm a teapot); expected one as /openapi.json describes it",
    )


def test_a_redirect_is_no_error(client: FlaskClient) -> None:
    answer = client.get("//")
    assert (answer.status_code, answer.headers["Location"]) == (308, "http://localhost/")
