"""The cluster port on Docker Swarm."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import docker
import httpx

from nocturne.adapters.swarm import labels
from nocturne.adapters.swarm.compose import FILE, AppService, read_manifests
from nocturne.adapters.swarm.engine import Engine, RegistryCredentials
from nocturne.adapters.swarm.failure import explain
from nocturne.adapters.swarm.rollout import Judgement, Look, judge
from nocturne.adapters.swarm.service_spec import service_spec, with_next_attempt
from nocturne.domain.errors import Broken, Conflict, Rejected
from nocturne.ports.cluster import Cluster, Counters, DesiredState, Phase, Rollout, Traffic

_POLL_SECONDS = 0.5
_PROBE_SECONDS = 2
_MOST_PROBES = 30
"""How often a first deployment's public address is asked before it counts as complete anyway: verification judges it then."""
_TRIES = 5


class SwarmCluster(Cluster):
    """One service of a swarm. A release's tries are told apart by the annotation `run`.

    client: of a manager node. network: an attachable overlay network that the front door is on. public_url: what users call.
    traffic_source: counts their requests. credentials: for nodes that pull from a registry with a login.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        service: str,
        network: str,
        public_url: str,
        traffic_source: Callable[[], Traffic] | None = None,
        credentials: RegistryCredentials | None = None,
    ) -> None:
        self._engine = Engine(client, credentials)
        self._service = service
        self._network = network
        self._public_url = public_url
        self._traffic_source = traffic_source

    def check(self, manifests: dict[str, str]) -> list[str]:
        """Every fault of `compose.yaml`, with the path of the key."""
        return read_manifests(manifests)[1]

    def apply(self, desired: DesiredState) -> bool:
        """Create or update the service.

        False when it runs this release already, and also when Swarm has taken back this very attempt (`watch` says so then):
        only another run starts the release again.
        """
        app = self._app(desired)
        for _ in range(_TRIES):
            try:
                return self._apply(app, desired)
            except Conflict as error:
                # Swarm itself writes to the service while it updates it: look again, decide again.
                last = error
        raise Broken(f"{last.message} ({_TRIES} times)", advice="run again when nobody else changes the service") from last

    async def watch(self, desired: DesiredState) -> AsyncIterator[Rollout]:
        """Looks twice a second. Raises Broken when somebody deploys something else, or removes the service, meanwhile.

        A cluster that is away is told once with seen=False, with the first of what may be several reasons, and waited for.
        """
        shown = Rollout(Phase.PROGRESSING, 0, 0, "")
        probes = 0
        while shown.phase is Phase.PROGRESSING:
            try:
                look = await asyncio.to_thread(self._look)
            except Broken as error:
                now = replace(shown, message=f"the cluster does not answer, still trying: {error.message}", seen=False)
            else:
                judgement = self._judge(desired, look)
                now = await self._shown(judgement, probes)
                probes += judgement.fresh
            if now != shown and (now.seen or shown.seen):
                yield now
                shown = now
            if now.phase is Phase.PROGRESSING:
                await asyncio.sleep(_POLL_SECONDS)

    def running(self) -> str | None:
        """From the label of the specification in force."""
        service = self._engine.service(self._service)
        return None if service is None else self._own(labels.release_of(service))

    def withdraw(self) -> None:
        """Remove the service."""
        service = self._engine.service(self._service)
        if service is not None:
            self._own(labels.release_of(service))
            self._engine.remove(service["ID"])

    def traffic(self) -> Counters | None:
        """From the traffic source."""
        return {"front door": self._traffic_source()} if self._traffic_source else None

    def public_url(self) -> str:
        """As it was given."""
        return self._public_url

    def _app(self, desired: DesiredState) -> AppService:
        app, faults = read_manifests(desired.manifests)
        if app is None or faults:
            raise Rejected(f"{FILE} has faults: {'; '.join(faults)}", advice=f"correct {FILE}; its subset is documented")
        if "@sha256:" not in desired.image:
            raise Rejected(f"found the image {desired.image!r}, expected a reference by digest", advice="deploy by digest")
        return app

    def _apply(self, app: AppService, desired: DesiredState) -> bool:
        spec = service_spec(app, desired, self._service, self._network)
        service = self._engine.service(self._service)
        if service is None:
            self._engine.create(spec)
            return True
        self._own(labels.release_of(service))
        if labels.is_asked_for(service, desired) or labels.was_rolled_back(service, desired):
            return False
        self._engine.update(service, with_next_attempt(service["Spec"], desired))
        marked = self._engine.service(self._service)
        if marked is None or labels.attempt_of(marked) != labels.attempt_of(service):
            raise Conflict("the service changed between two updates")
        self._engine.update(marked, spec)
        return True

    def _look(self) -> Look | None:
        service = self._engine.service(self._service)
        return None if service is None else Look(service, self._engine.tasks(service["ID"]))

    def _judge(self, desired: DesiredState, look: Look | None) -> Judgement:
        if look is None:
            raise Broken(f"found no service {self._service!r}, expected it to run {desired.release_id}", advice="run again")
        return judge(desired, look)

    async def _shown(self, judgement: Judgement, probes: int) -> Rollout:
        rollout = judgement.rollout
        if rollout.phase is Phase.FAILED:
            return replace(rollout, message=await asyncio.to_thread(explain, self._engine, judgement))
        if judgement.fresh and probes < _MOST_PROBES and not await asyncio.to_thread(self._is_found):
            return replace(rollout, phase=Phase.PROGRESSING, message=f"{rollout.message}, waiting for the front door to find them")
        return rollout

    def _is_found(self) -> bool:
        """Whether the front door sends users to the release: it finds a service's first tasks a moment after they are ready."""
        try:
            return httpx.get(self._public_url, timeout=_PROBE_SECONDS).status_code != httpx.codes.SERVICE_UNAVAILABLE
        except httpx.HTTPError:
            return False

    def _own(self, release_id: str) -> str:
        if not release_id:
            raise Broken(
                f"found a service {self._service!r} without the label {labels.RELEASE}, expected one of our own or none",
                advice="remove that service, or give the environment another service name",
            )
        return release_id
