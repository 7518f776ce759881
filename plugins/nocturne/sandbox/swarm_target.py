"""Docker Swarm as what the sandbox ships to."""

import docker

from nocturne.sandbox.app import App
from nocturne.sandbox.engine import Engine
from nocturne.sandbox.entrance import Entrance
from nocturne.sandbox.images import FRONT_DOOR, Images
from nocturne.sandbox.part import PartStatus
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.progress import Report
from nocturne.sandbox.settings import Settings
from nocturne.sandbox.steps_in_parallel import Step
from nocturne.sandbox.swarm import SandboxSwarm
from nocturne.sandbox.target import Target


class SwarmTarget(Target):
    """Docker Swarm, with a front door before it."""

    in_engine = True
    needs = {"front door": ("front door image", "network"), "app": ("network", "registry")}

    def __init__(self, settings: Settings, engine: Engine, programs: Programs, report: Report) -> None:
        self._settings = settings
        self._engine = engine
        self._programs = programs
        self._report = report
        self.parts = (
            Entrance(settings, engine, f"{settings.name}-sandbox/{FRONT_DOOR.name}:latest"),
            App(settings, engine),
        )

    def steps(self) -> list[Step]:
        """The network, and HAProxy."""
        return [
            Step("network", self._network, ("engine",)),
            Step("front door image", self._front_door_image, ("engine",)),
        ]

    def status(self) -> list[PartStatus]:
        """Nothing but the engine."""
        return []

    def remove(self) -> str:
        """Service and network."""
        with self._engine.session() as client:
            self._swarm(client).remove()
        return "service and network"

    def _network(self) -> None:
        with self._engine.session() as client:
            left_by = self._swarm(client).ensure()
        if left_by:
            self._report.ready("network", f"removed service and network of {left_by}, which was deleted without `make clean`")

    def _front_door_image(self) -> None:
        with self._engine.session(timeout=300) as client:
            images = Images(self._settings, client, self._programs)
            where = images.ensure(FRONT_DOOR, lambda text: self._report.working("front door image", text))
        self._report.ready("front door image", where)

    def _swarm(self, client: docker.DockerClient) -> SandboxSwarm:
        settings = self._settings
        local = settings.engine_url.startswith("unix://")
        return SandboxSwarm(client, settings.home, settings.network, settings.service, settings.front_door, local=local)
