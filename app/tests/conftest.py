"""What all tests share: one trained model, the app around it, and images."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as rules
from PIL import Image
from running import RunningApp
from served import LIMIT, Serve, Served

from app.card import Card, read_card
from app.connections import BODIES
from app.drain import DrainFlag
from app.golden_set import Sample, read_golden_set
from app.settings import Settings, read_settings
from app.training.__main__ import train
from app.training.golden import GOLDEN_FILE
from app.web import create_app

# How long an example takes says what else this machine does.
rules.register_profile("app", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
rules.load_profile("app")


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model trained with seed 0."""
    folder = tmp_path_factory.mktemp("model")
    train(folder, seed=0)
    return folder


@pytest.fixture(scope="session")
def card(model_dir: Path) -> Card:
    """The trained model's card."""
    return read_card(model_dir)


@pytest.fixture
def card_json(model_dir: Path) -> dict[str, Any]:
    """The trained model's card as JSON, to be spoilt."""
    content: dict[str, Any] = json.loads((model_dir / "model.json").read_text())
    return content


@pytest.fixture(scope="session")
def golden() -> list[Sample]:
    """The golden set."""
    return read_golden_set(GOLDEN_FILE)


@pytest.fixture
def settings(model_dir: Path, tmp_path: Path) -> Settings:
    """Settings with the trained model."""
    return read_settings({"MODEL_DIR": str(model_dir), "RELEASE_FILE": str(tmp_path / "release.json")})


@pytest.fixture
def leaving() -> DrainFlag:
    """The flag that the supervisor raises before it stops."""
    return DrainFlag()


@pytest.fixture
def client(settings: Settings, leaving: DrainFlag) -> FlaskClient:
    """A client of the app with the trained model."""
    return create_app(settings, leaving).test_client()


@pytest.fixture
def running(model_dir: Path) -> Iterator[RunningApp]:
    """The app with two workers, served as in production."""
    with RunningApp({"MODEL_DIR": str(model_dir), "WORKERS": "2"}) as app:
        yield app


def encode(image: Image.Image, kind: str = "PNG") -> str:
    """Return the image as a base64 file."""
    content = io.BytesIO()
    image.save(content, kind)
    return base64.b64encode(content.getvalue()).decode()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Make a server of connections: by its threads, and the seconds that a request may take to come."""
    all_served: list[Served] = []

    def begin(threads: int = 1, request_seconds: float = 60) -> Served:
        all_served.append(Served(threads, request_seconds))
        return all_served[-1]

    yield begin
    for served in all_served:
        served.stop()
        assert served.failures == []
        # Whatever happened to a body, its room was given back once.
        assert served.connections.room.free == BODIES * LIMIT


@pytest.fixture(params=[1, 2], ids=["in the loop", "in threads"])
def served(serve: Serve, request: pytest.FixtureRequest) -> Served:
    """Return a server of connections."""
    return serve(request.param)
