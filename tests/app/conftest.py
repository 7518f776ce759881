"""What tests of the running app share: its environment, the demo model, the app itself, and images with known answers."""

import base64
import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.app.running_app import ROOT, AppEnvironment, RunningApp

FOLDER = ROOT / ".nocturne-test"

StartApp = Callable[..., AbstractContextManager[RunningApp]]
"""`start_app(settings={...})`: the app with the demo model, until the block ends."""


@dataclass(frozen=True)
class Golden:
    """An encoded image (PNG) and the label that it shows."""

    image: bytes
    label: str


@pytest.fixture(scope="session")
def app_environment() -> AppEnvironment:
    """The app's own environment, kept from one run of the tests to the next."""
    FOLDER.mkdir(exist_ok=True)
    environment = AppEnvironment(FOLDER / "app-environment")
    with (FOLDER / "app-environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environment.synchronise()
    return environment


@pytest.fixture(scope="session")
def demo_model(app_environment: AppEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo model."""
    folder = tmp_path_factory.mktemp("demo") / "model"
    app_environment.train(folder)
    return folder


@pytest.fixture
def start_app(app_environment: AppEnvironment, demo_model: Path, tmp_path: Path) -> StartApp:
    """Starts apps of a test's own; the keywords are those of `AppEnvironment.run`."""

    def start(model: Path = demo_model, log: Path = tmp_path / "app.log", **options: object) -> AbstractContextManager[RunningApp]:
        return app_environment.run(model, log, **options)  # type: ignore[arg-type]

    return start


@pytest.fixture(scope="session")
def running_app(
    app_environment: AppEnvironment, demo_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """One app with the demo model and two workers, for all tests that leave it as it is."""
    log = tmp_path_factory.mktemp("running") / "app.log"
    with app_environment.run(demo_model, log, {"WORKERS": "2"}) as app:
        yield app


@pytest.fixture(scope="session")
def golden() -> list[Golden]:
    """The demo's golden set."""
    samples = json.loads((ROOT / "app" / "golden" / "digits.json").read_text())["samples"]
    return [Golden(base64.b64decode(sample["image"]), sample["label"]) for sample in samples]
