"""The other addresses: what the app says about itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.drain import DrainFlag
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
    assert answer.status_code == 503
    assert str(tmp_path) in answer.json["error"] and "MODEL_DIR" in answer.json["error"]
    assert str(tmp_path / "model.json") in answer.json["faults"][0]
    assert client.post("/score", json={"input": []}).status_code == 503


def test_a_leaving_app_is_unready_and_closes_connections(client: FlaskClient, leaving: DrainFlag) -> None:
    """Once the flag is raised, `/readyz` is 503 and every answer asks clients to come back over another connection."""
    assert "Connection" not in client.get("/").headers
    leaving.raise_()
    assert client.get("/readyz").status_code == 503
    assert client.get("/").headers["Connection"] == "close"


def test_version_tells_the_release(settings: Settings, leaving: DrainFlag) -> None:
    """What the release file says is what `/version` answers."""
    settings.release_file.write_text(json.dumps(RELEASE | {"more": 1}))
    assert create_app(settings, leaving).test_client().get("/version").json == RELEASE


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_version_tells_nulls_without_a_good_release_file(
    settings: Settings, leaving: DrainFlag, content: str | None
) -> None:
    """A missing or damaged release file stops nothing."""
    if content is not None:
        settings.release_file.write_text(content)
    assert create_app(settings, leaving).test_client().get("/version").json == dict.fromkeys(RELEASE)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/score", 405)])
def test_errors_are_json(client: FlaskClient, method: str, path: str, status: int) -> None:
    """An unknown address or method is answered like any other error."""
    answer = client.open(path, method=method)
    assert answer.status_code == status and answer.json["error"]
