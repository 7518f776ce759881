"""The night as Nocturne does it: its real steps on its real adapters, without Airflow and without a cluster."""

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from measure import Meter
from workplace import Workplace

from nocturne.composition import ConnectedWorld
from nocturne.domain.configuration import Configuration
from nocturne.domain.records import Cause, Release
from nocturne.domain.release_toml import parse_configuration
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.ports.cluster import Cluster, DesiredState, Rollout, Traffic
from nocturne.ports.connections import Connection
from nocturne.sandbox.connections import connections
from nocturne.sandbox.secret_file import load_or_make
from nocturne.steps.build_image import build_image
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.freeze_inputs import Frozen, Wish, freeze_inputs
from nocturne.steps.publish_model import publish_model
from nocturne.steps.world import Run

SIDE = "nocturne"


class NocturneSide:
    """Runs nights and counts every release as deployed and verified."""

    def __init__(self, place: Workplace, meter: Meter) -> None:
        os.environ["NOCTURNE_CACHE"] = str(place.home / "cache")
        self._configuration = parse_configuration((place.app / "release.toml").read_bytes(), "app/release.toml")
        self._connections = _connections(place)
        self._cluster = _NoCluster()
        self._meter = meter
        self._nights = 0

    def world(self) -> ConnectedWorld:
        """A new one, as each of Airflow's tasks has."""
        return _World(self._configuration, self._connections, self._cluster)

    def publish(self, folder: Path) -> None:
        """What the data scientist does; not measured."""
        world = self.world()
        publish_model(world.models, folder, None, world.clock, lambda moved: None, lambda text: None)

    def night(self, scenario: str) -> None:
        """One night, each step measured."""
        self._nights += 1
        run = Run(f"night-{self._nights}", self._configuration.night.environment, "benchmark")
        with self._meter.step(scenario, SIDE, "freeze_inputs"):
            frozen: Frozen = freeze_inputs(self.world(), run, Wish())
        if not frozen.plan.needed:
            return
        assert frozen.inputs is not None  # else the plan would not be needed
        for step in (fetch_model, build_image):
            world = self.world()
            release = world.ledger.release(frozen.inputs.release_id)
            with self._meter.step(scenario, SIDE, step.__name__):
                step(self.world(), run, release)
        self._settle(run, release)

    def _settle(self, run: Run, release: Release) -> None:
        ledger = self.world().ledger
        deployment = ledger.open_deployment(release.id, run.environment, run.id, Cause.NIGHT, run.requested_by, "")
        for state in (DeploymentState.ROLLING_OUT, DeploymentState.VERIFYING, DeploymentState.VERIFIED):
            ledger.move_deployment(deployment.id, state)
        ledger.set_release_state(release.id, ReleaseState.VERIFIED)
        self._cluster.release_id = release.id


class _World(ConnectedWorld):
    def __init__(self, configuration: Configuration, found: Callable[[str], Connection], cluster: Cluster) -> None:
        super().__init__(configuration, found, lambda line: None)
        self._cluster = cluster

    def at(self, commit: str) -> "_World":
        """The same: no commit of the benchmark touches the configuration."""
        return self

    def cluster(self, environment: str) -> Cluster:
        """The one that runs nothing."""
        return self._cluster


class _NoCluster(Cluster):
    """Runs whatever was verified last, because rolling out is not compared."""

    release_id: str | None = None

    def check(self, manifests: dict[str, str]) -> list[str]:
        return []

    def apply(self, desired: DesiredState) -> bool:
        raise NotImplementedError

    def watch(self, desired: DesiredState) -> AsyncIterator[Rollout]:
        raise NotImplementedError

    def running(self) -> str | None:
        return self.release_id

    def withdraw(self) -> None:
        raise NotImplementedError

    def traffic(self) -> Traffic | None:
        return None

    def public_url(self) -> str:
        return ""


def _connections(place: Workplace) -> Callable[[str], Connection]:
    every = connections(place.settings, load_or_make(place.settings.home))

    def find(name: str) -> Connection:
        raw: dict[str, Any] = json.loads(every[f"AIRFLOW_CONN_{name.upper()}"])
        kind = raw.pop("conn_type")
        return Connection(name, kind, **raw)

    return find
