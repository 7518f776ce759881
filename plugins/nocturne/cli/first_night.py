"""What `up` does once everything runs: a model where there is none, and a night."""

import json
import os
from typing import Any

from nocturne.cli import workplace
from nocturne.cli.airflow_api import CONNECTION, AirflowApi
from nocturne.cli.follow import ENDINGS, Audience, follow
from nocturne.composition import ConnectedWorld, deployed_configuration
from nocturne.domain.errors import Broken
from nocturne.sandbox import Report, Settings
from nocturne.steps.demo_model import publish_demo_model


class _Told(Audience):
    """The report of a longer work that the run is part of."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def working(self, task: str, state: str) -> None:
        """What is shown beside the spinner."""
        self._report.working("night", f"{task} {state}")

    def ended(self, task: str, state: str, message: str) -> None:
        """One line for the task."""
        if state == "failed":
            self._report.failed(task, message)
        else:
            self._report.ready(task, f"{ENDINGS[state]}{f', {message}' if message else ''}")

    def waiting(self, reason: str) -> None:
        """What is shown beside the spinner."""
        self._report.working("night", reason)


def run(settings: Settings, report: Report) -> dict[str, Any]:
    """The night's verdict."""
    _join(settings)
    world = ConnectedWorld(deployed_configuration(), workplace.connection, log=lambda line: None)
    if not world.models.versions(1):
        _publish_demo_model(world, report)
    api = AirflowApi(workplace.connection(CONNECTION))
    report.working("night", "starting nightly_release")
    run_id = api.trigger("nightly_release", {})
    verdict = follow(api, "nightly_release", run_id, "freeze_inputs", _Told(report))
    if verdict["verdict"] in ("verified", "unchanged"):
        report.ready("night", verdict["verdict"])
    else:
        report.failed("night", verdict["verdict"])
    return verdict


def app_address(settings: Settings) -> str:
    """Where users find the app; where the first release makes the address, why there is none yet."""
    _join(settings)
    world = workplace.world()
    try:
        return world.cluster(world.configuration.night.environment).public_url()
    except Broken as error:
        return f"none yet: {error.message}"


def live() -> str:
    """What the night's environment has in production, in a line."""
    world = workplace.world()
    newest = world.ledger.live(world.configuration.night.environment)
    if newest is None:
        return "none was verified yet"
    inputs = world.ledger.release(newest.release_id).inputs
    return f"{newest.release_id}: commit {inputs.code.commit[:12]} ({inputs.code.subject}), model {inputs.model.version}"


def _publish_demo_model(world: ConnectedWorld, report: Report) -> None:
    report.working("model", "training the demo model")
    manifest = publish_demo_model(world)
    if manifest is not None:
        metrics = json.dumps(manifest.card.get("metrics", {}))
        report.ready("model", f"published {manifest.name} {manifest.version} {metrics}")


def _join(settings: Settings) -> None:
    os.environ["NOCTURNE_HOME"] = str(settings.home)
    workplace.join_sandbox()
