"""One Docker Engine, as the release steps use it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import docker

from nocturne.adapters.docker_engine.builder import Builder
from nocturne.adapters.docker_engine.transfer import Logins, Transfers
from nocturne.adapters.docker_engine.trial import TrialLimits, Trials
from nocturne.ports.image_builder import CodeImageRequest, ImageBuilder, ImageRunner, Log, RunningImage


class DockerEngine(ImageBuilder, ImageRunner):
    """Builds, pushes and tries out images.

    client: connected, as Airflow's DockerHook gives it. logins: registry's host to `username` and `password`. limits: of a trial.
    trial_network: a Docker network that this process is on, too, and where trials are reached; without one the engine is on this
    machine, and they are reached through 127.0.0.1.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        logins: Logins | None = None,
        limits: TrialLimits | None = None,
        trial_network: str = "",
    ) -> None:
        self._transfers = Transfers(client, logins or {})
        self._builder = Builder(client, self._transfers)
        self._trials = Trials(client, limits or TrialLimits(), trial_network)

    def build(self, request: CodeImageRequest, log: Log) -> str:
        """Build, push to `request.target` and return the reference by digest."""
        return self._builder.build(request, log)

    def copy(self, source: str, target: str, log: Log) -> str:
        """Push an image of any registry, or one that the engine has already, under another name (`host/repository:tag`).

        The pushed image by digest. Raises Rejected for another form of the target, Broken when it cannot be had or pushed.
        """
        return self._builder.copy(source, target, log)

    @contextmanager
    def _run(self, image: str, port: int, name: str, log: Log) -> Iterator[RunningImage]:
        self._transfers.pull(image, log)
        with self._trials.run(image, port, name, log) as running:
            yield running

    def run(self, image: str, port: int, name: str, log: Log) -> AbstractContextManager[RunningImage]:
        """Pull the image by digest and start it, reachable from here alone; removed at the end, whatever happens.

        Raises Rejected when its entry point cannot be started, beside what the port says.
        """
        return self._run(image, port, name, log)
