"""The cluster port on Kubernetes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.apply import faults_of
from nocturne.adapters.kubernetes.counters import counted
from nocturne.adapters.kubernetes.drift import differences, under_another_name
from nocturne.adapters.kubernetes.manifests import read_manifests
from nocturne.adapters.kubernetes.permissions import missing
from nocturne.adapters.kubernetes.prune import retire
from nocturne.adapters.kubernetes.public_address import public_address
from nocturne.adapters.kubernetes.rendering import PullSecret, Rendering
from nocturne.adapters.kubernetes.sides import PodClient
from nocturne.adapters.kubernetes.site import Site
from nocturne.adapters.kubernetes.situation import Situation
from nocturne.adapters.kubernetes.staging import apply_stage, target
from nocturne.adapters.kubernetes.watching import watch_rollout
from nocturne.domain.errors import Broken
from nocturne.domain.strategy import Drift, Strategy
from nocturne.ports.app_client import AppClient
from nocturne.ports.cluster import Cluster, Counters, DesiredState, Phase, Rollout, Side, Stage

T = TypeVar("T")

_AGAIN_SECONDS = 2.0


class KubernetesCluster(Cluster):
    """One app in one namespace. A slot of it, main, blue or green, is what its Services select.

    app: the label by which its objects are known, which names the environment too: a valid value of a label. repository: of its
    images, without host and tag. registry: its host. port: that its containers listen on. public_url: what users call; empty to
    ask the Service. node_address: of any node, for a Service of type NodePort. log: takes sentences for the operator.
    """

    def __init__(
        self,
        access: Access,
        app: str,
        repository: str,
        namespace: str,
        strategy: Strategy,
        drift: Drift,
        *,
        port: int,
        registry: str = "",
        public_url: str = "",
        node_address: str = "",
        pull_secret: PullSecret | None = None,
        log: Callable[[str], None],
    ) -> None:
        self._site = Site(access, app, repository, namespace, strategy, drift, pull_secret, log)
        self._port = port
        # A cluster may allow images of this registry only.
        self._any_image = f"{registry}/{repository}".lstrip("/") + f"@sha256:{'0' * 64}"
        self._public_url = public_url
        self._node_address = node_address

    def check(self, manifests: dict[str, str]) -> list[str]:
        """Schemas and rules first, then permissions, then what the API server itself says in a dry run."""
        objects, faults = read_manifests(manifests, self._site.namespace, self._site.repository)
        if objects is None:
            return faults
        desired = DesiredState("placeholder", self._any_image, {}, {})
        rendering = Rendering(self._site.app, objects, desired, self._site.pull_secret)
        return self._ask(lambda api: self._check(api, rendering))

    def first_stage(self, desired: DesiredState) -> Stage:
        """By the slot that the Service selects, and what runs in it. Raises Conflict where somebody else has taken a name."""

        async def decide(api: KubernetesApi) -> Stage:
            situation = await self._site.free_situation(api, self._site.rendering(desired))
            return situation.first_stage(self._site.strategy, desired)

        return self._ask(decide)

    def apply(self, desired: DesiredState) -> bool:
        """Everything is tried out by a dry run before anything is changed; False when nothing had to be."""
        return self._ask(lambda api: apply_stage(self._site, api, desired))

    async def watch(self, desired: DesiredState) -> AsyncIterator[Rollout]:
        """Watches the Deployment of this stage and, when all users get it, the addresses of its Service."""
        rendering = self._site.rendering(desired)
        situation: Situation | None = None
        last = Rollout(Phase.PROGRESSING, 0, 0, "", seen=False)
        while situation is None:
            try:
                async with self._site.api() as api:
                    situation = await self._site.situation(api, rendering)
            except Broken as error:
                if error.message != last.message:
                    last = replace(last, message=error.message)
                    yield last
                await asyncio.sleep(_AGAIN_SECONDS)
        goal = target(self._site, desired, situation, rendering)
        async with aclosing(watch_rollout(self._site.api, goal, desired)) as looks:
            async for look in looks:
                yield look

    def running(self) -> str | None:
        """From the Deployment in the slot that the Service selects; None when that is not ours."""
        return self._ask(self._site.situation).release or None

    def withdraw(self) -> None:
        """Remove every object that releases of this app have created, but the pull Secret: others may use it."""
        for removed in self._ask(lambda api: retire(api, self._site.app, [])):
            self._site.log(f"removed {removed}")

    def retire(self, desired: DesiredState) -> list[str]:
        """Other slots, the canary, and objects that the manifests do not name any more."""

        async def remove(api: KubernetesApi) -> list[str]:
            rendering = self._site.rendering(desired)
            situation = await self._site.situation(api, rendering)
            if situation.release != desired.release_id:
                return []
            return await retire(api, self._site.app, rendering.whole(situation.selected))

        return self._ask(remove)

    def drift(self, desired: DesiredState) -> list[str]:
        """Each object beside a dry run of what a release would apply."""

        async def compare(api: KubernetesApi) -> list[str]:
            rendering = self._site.rendering(desired)
            situation = await self._site.situation(api, rendering)
            slot = situation.selected or situation.slot_for(self._site.strategy, desired)
            return await differences(api, rendering.whole(slot))

        return self._ask(compare)

    def client(self, side: Side) -> AppClient:
        """Asks pods through the API server."""
        return PodClient(self._site.api, self._ask(self._site.situation).selector(side), self._port)

    def served(self, side: Side) -> Counters | None:
        """From the pods' own counters."""

        async def count(api: KubernetesApi) -> Counters | None:
            situation = await self._site.situation(api)
            return await counted(api, situation.selector(side), self._port, self._site.log)

        return self._ask(count)

    def traffic(self) -> Counters | None:
        """From the counters of all pods that users get."""

        async def count(api: KubernetesApi) -> Counters | None:
            situation = await self._site.situation(api)
            return await counted(api, situation.users_selector(), self._port, self._site.log) if situation.live else None

        return self._ask(count)

    def public_url(self) -> str:
        """As it was given, or as the Service tells."""
        if self._public_url:
            return self._public_url
        return public_address(self._ask(self._site.situation).service, self._node_address)

    async def _check(self, api: KubernetesApi, rendering: Rendering) -> list[str]:
        pull_secret = self._site.pull_secret
        lacking = await missing(api, pull_secret.name if pull_secret and pull_secret.login else "")
        if lacking:
            raise Broken(
                f"the cluster at {api.host} does not allow in namespace {api.namespace}: {', '.join(lacking)}",
                advice="give the connection's account the Role of docs/kubernetes.md in that namespace; create the namespace first",
            )
        situation = await self._site.free_situation(api, rendering)
        slot = situation.slot_for(self._site.strategy, rendering.desired)
        objects = rendering.whole(slot, situation.replicas(slot))
        if situation.in_the_way(rendering.deployment(slot), slot):
            # It will be removed first.
            objects = [under_another_name(one) if one["kind"] == "Deployment" else one for one in objects]
        return await faults_of(api, objects)

    def _ask(self, call: Callable[[KubernetesApi], Coroutine[Any, Any, T]]) -> T:
        async def ask() -> T:
            async with self._site.api() as api:
                return await call(api)

        return asyncio.run(ask())
