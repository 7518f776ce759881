"""What `up` does once everything runs: a model where there is none, and a night."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from nocturne.cli import workplace
from nocturne.cli.airflow_api import CONNECTION, AirflowApi
from nocturne.cli.follow import ENDINGS, Audience, follow
from nocturne.composition import ConnectedWorld, deployed_configuration
from nocturne.domain.errors import Broken
from nocturne.sandbox import Report, Settings
from nocturne.steps.checkout import checked_out
from nocturne.steps.publish_model import publish_model

_TRAINING_SECONDS = 600


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


def run(settings: Settings, report: Report) -> dict[str, Any]:
    """The night's verdict."""
    os.environ["NOCTURNE_HOME"] = str(settings.home)
    world = ConnectedWorld(deployed_configuration(), workplace.connection, log=lambda line: None)
    if not world.models.versions():
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


def live() -> str:
    """What the night's environment has in production, in a line."""
    world = workplace.world()
    newest = next(iter(world.ledger.verified(world.configuration.night.environment, limit=1)), None)
    if newest is None:
        return "none was verified yet"
    inputs = world.ledger.release(newest.release_id).inputs
    return f"{newest.release_id}: commit {inputs.code.commit[:12]} ({inputs.code.subject}), model {inputs.model.version}"


def _publish_demo_model(world: ConnectedWorld, report: Report) -> None:
    """Be the data scientist once: train at the commit that the night will freeze, and publish."""
    report.working("model", "training the demo model")
    code = world.code.resolve(world.configuration.code.ref)
    with checked_out(world, code.commit) as app:
        folder = Path(app.parent) / "trained"
        command = ["python", "-m", "app.training", "--out", str(folder)]
        finished = world.environment.run(app, command, timeout=_TRAINING_SECONDS, log=lambda line: None)
        if finished.exit_code != 0:
            tail = (finished.output + finished.errors)[-2000:]
            raise Broken(f"training the demo model failed with exit code {finished.exit_code}:\n{tail}", advice="run it by hand")
        manifest = publish_model(world.models, folder, None, world.clock, lambda moved: None)
        metrics = json.dumps(manifest.card.get("metrics", {}))
        shutil.rmtree(folder)
    report.ready("model", f"published {manifest.name} {manifest.version} {metrics}")
