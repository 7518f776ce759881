"""The app itself, as a part that comes and goes with the sandbox."""

import docker

from nocturne.sandbox.engine import Engine
from nocturne.sandbox.part import Part, PartStatus
from nocturne.sandbox.progress import Report
from nocturne.sandbox.settings import Settings
from nocturne.sandbox.swarm import SandboxSwarm


class App(Part):
    """The Swarm service that the first release makes; from then on it comes and goes with the sandbox, at the same release."""

    name = "app"

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    def start(self, report: Report) -> None:
        """Bring the service back as it was."""
        with self._engine.session() as client:
            tasks = self._swarm(client).restore()
        report.ready(self.name, "no release yet" if tasks is None else f"{tasks} tasks run behind {self._settings.app_url}")

    def stop(self) -> bool:
        """End its tasks; the service keeps its release and its settings."""
        with self._engine.session() as client:
            return self._swarm(client).scale_down()

    def status(self) -> PartStatus:
        """By its tasks."""
        if not self._engine.reachable():
            return PartStatus(self.name, running=False, detail="the engine is not running")
        with self._engine.session() as client:
            found = self._swarm(client).running()
        if found is None:
            return PartStatus(self.name, running=False, detail="no release yet")
        return PartStatus(self.name, running=found[0] == found[1] > 0, detail=f"{found[0]} of {found[1]} tasks run")

    def _swarm(self, client: docker.DockerClient) -> SandboxSwarm:
        return SandboxSwarm(client, self._settings.home, self._settings.network, self._settings.service)
