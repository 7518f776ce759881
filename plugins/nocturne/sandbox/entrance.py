"""The front door as a part that comes and goes with the sandbox."""

import socket

import docker

from nocturne.sandbox.engine import Engine
from nocturne.sandbox.front_door import FrontDoor
from nocturne.sandbox.part import Part, PartStatus
from nocturne.sandbox.progress import Report
from nocturne.sandbox.settings import Settings


class Entrance(Part):
    """Takes what users send to the app's port, whether there is an app behind it or not."""

    name = "front door"

    def __init__(self, settings: Settings, engine: Engine, image: str) -> None:
        self._settings = settings
        self._engine = engine
        self._image = image

    def start(self, report: Report) -> None:
        """Start its container unless it runs."""
        with self._engine.session() as client:
            began = self._door(client).ensure()
        report.ready(self.name, f"{'ready' if began else 'was ready'} on {self._settings.app_url}")

    def stop(self) -> bool:
        """Remove its container, which keeps nothing."""
        with self._engine.session() as client:
            ran = self._container_runs(client)
            self._door(client).remove()
        return ran

    def status(self) -> PartStatus:
        """By its container first, then by its port."""
        if not self._engine.reachable():
            return PartStatus(self.name, running=False, detail="the engine is not running")
        with self._engine.session() as client:
            if not self._container_runs(client):
                return PartStatus(self.name, running=False, detail="not running")
        answers = _answers(self._settings.app_port)
        detail = self._settings.app_url if answers else f"runs, but port {self._settings.app_port} does not answer"
        return PartStatus(self.name, running=answers, detail=detail, occupied=True)

    def _container_runs(self, client: docker.DockerClient) -> bool:
        found = client.containers.list(filters={"name": f"^/{self._settings.front_door}$"}, ignore_removed=True)
        return bool(found)

    def _door(self, client: docker.DockerClient) -> FrontDoor:
        settings = self._settings
        return FrontDoor(client, self._image, settings.front_door, settings.network, settings.service, settings.app_port)


def _answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        return connection.connect_ex(("127.0.0.1", port)) == 0
