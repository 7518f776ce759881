"""Waiting for a rollout on a real cluster, through whatever happens to the cluster meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any, Self

import httpx
import pytest
import yaml

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi, Listing
from nocturne.adapters.kubernetes.reflector import Reflector
from nocturne.adapters.kubernetes.refusals import Asked
from nocturne.adapters.kubernetes.standing import WatchTarget
from nocturne.adapters.kubernetes.watching import watch_rollout
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase, Rollout
from tests.gate import Gate
from tests.integration.kubernetes.conftest import Releases, Site
from tests.integration.kubernetes.manifests import NAME, deployment, manifests, service, service_account

pytestmark = pytest.mark.kubernetes


def looks(site: Site, desired: DesiredState, access: Access | None = None) -> AsyncIterator[Rollout]:
    target = WatchTarget(NAME, site.admin.namespace, {"app": NAME}, NAME)
    return watch_rollout(lambda: KubernetesApi(access or site.role.access, site.admin.namespace), target, desired)


async def to_end(site: Site, desired: DesiredState, access: Access | None = None, seconds: float = 120) -> list[Rollout]:
    async with asyncio.timeout(seconds):
        return [look async for look in looks(site, desired, access)]


def watched(site: Site, desired: DesiredState) -> list[Rollout]:
    return asyncio.run(to_end(site, desired))


class Watching:
    """A watch that goes on while a test does something to the way to the server. seen: the looks so far."""

    def __init__(self, site: Site, desired: DesiredState, access: Access) -> None:
        self.seen: list[Rollout] = []
        self._task = asyncio.create_task(self._run(looks(site, desired, access)))

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    async def until(self, condition: Callable[[Rollout], bool], again: Callable[[], None] | None = None) -> None:
        """Wait for a look that meets a condition. again: done every second meanwhile, beginning now."""
        turn = 0
        while not any(condition(look) for look in self.seen):
            if self.done:
                await self._task
                pytest.fail(f"the watch ended before: {self.seen}")
            if again and turn % 20 == 0:
                again()
            turn += 1
            await asyncio.sleep(0.05)

    async def end(self) -> list[Rollout]:
        """All looks, when it has ended."""
        await self._task
        return self.seen

    async def _run(self, found: AsyncIterator[Rollout]) -> None:
        async with asyncio.timeout(150):
            async for look in found:
                self.seen.append(look)


def is_seen(look: Rollout) -> bool:
    return look.seen


def is_unseen(look: Rollout) -> bool:
    return not look.seen


def test_complete(site: Site, release: Releases) -> None:
    """A first deployment and an update are told step by step, each step once, until nobody gets anything else any more."""
    first, second = release("r-one"), release("r-two")
    site.cluster().apply(first)
    seen = watched(site, first)
    assert (seen[-1].phase, seen[-1].ready, seen[-1].message) == (Phase.COMPLETE, 2, "2 of 2 replicas ready")
    assert {look.phase for look in seen[:-1]} == {Phase.PROGRESSING}
    assert all(one != other for one, other in pairwise(seen))
    site.cluster().apply(second)
    seen = watched(site, second)
    assert seen[-1].phase is Phase.COMPLETE
    assert any("of the previous release still running" in look.message for look in seen)
    assert watched(site, second) == seen[-1:]


def test_outage(site: Site, release: Releases) -> None:
    """An API server that is away for ten seconds in mid-rollout is told, waited for, and changes nothing in the outcome."""
    site.deploy(release("r-one"))
    site.cluster().apply(release("r-two"))

    async def watch() -> list[Rollout]:
        async with Gate(site.role.kubeconfig) as gate:
            access = Access(gate.kubeconfig, None, site.role.token)
            watching = Watching(site, release("r-two"), access)
            await watching.until(is_seen)
            gate.shut()
            await watching.until(is_unseen)
            await asyncio.sleep(10)
            assert not watching.done
            await gate.open()
            return await watching.end()

    seen = asyncio.run(watch())
    assert seen[0].seen
    unseen = [look for look in seen if not look.seen]
    assert unseen
    assert all("does not answer" in look.message and look.wanted == 2 for look in unseen)
    assert (seen[-1].phase, seen[-1].seen) == (Phase.COMPLETE, True)


def test_away_from_the_start(site: Site, release: Releases) -> None:
    """Whoever begins to watch while the API server is away is told so, and sees the end all the same."""
    site.deploy(release("r-one"))

    async def watch() -> list[Rollout]:
        async with Gate(site.role.kubeconfig) as gate:
            access = Access(gate.kubeconfig, None, site.role.token)
            gate.shut()
            watching = Watching(site, release("r-one"), access)
            await watching.until(is_unseen)
            await gate.open()
            return await watching.end()

    seen = asyncio.run(watch())
    assert [(look.phase, look.seen) for look in seen] == [(Phase.PROGRESSING, False), (Phase.COMPLETE, True)]


def test_cut_connections(site: Site, release: Releases) -> None:
    """Connections that are cut again and again while the server is there are no news at all."""
    site.cluster().apply(release("r-one"))

    async def watch() -> list[Rollout]:
        async with Gate(site.role.kubeconfig) as gate:
            seen = asyncio.create_task(to_end(site, release("r-one"), Access(gate.kubeconfig, None, site.role.token)))
            while not seen.done():
                await asyncio.sleep(0.7)
                gate.cut()
            return await seen

    seen = asyncio.run(watch())
    assert seen[-1].phase is Phase.COMPLETE


def test_expired_token(site: Site, release: Releases) -> None:
    """A token that expires in mid-watch is told, asked for anew, and the watch goes on."""
    site.deploy(release("r-one"))
    # Slow enough not to be complete before anybody has noticed.
    desired = release("r-two", files=manifests(min_ready=5))
    site.cluster().apply(desired)
    tokens = {"now": site.role.token()}

    async def watch() -> list[Rollout]:
        async with Gate(site.role.kubeconfig) as gate:
            watching = Watching(site, desired, Access(gate.kubeconfig, None, lambda: tokens["now"]))
            await watching.until(is_seen)
            tokens["now"] = "expired"
            # More than once: a request that had its token a moment before may come through after the first cut.
            await watching.until(lambda look: "does not know who asks" in look.message, again=gate.cut)
            tokens["now"] = site.role.token()
            return await watching.end()

    seen = asyncio.run(watch())
    assert any("does not know who asks" in look.message for look in seen if not look.seen)
    assert (seen[-1].phase, seen[-1].seen) == (Phase.COMPLETE, True)


FORGOTTEN = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version: 1 (7)"}}'
"""How a server says it. When it forgets a version depends on how much has happened to how many pods, and on its age."""


class ForgetfulApi(KubernetesApi):
    """Its first list is so old that the server has forgotten what came after it. lists: how many there were."""

    lists = 0

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        plain = self._wire.lines

        async def lines(asked: Asked, path: str, parameters: dict[str, str], seconds: float) -> AsyncIterator[bytes]:
            if parameters.get("resourceVersion") == "1":
                yield FORGOTTEN
                return
            async for line in plain(asked, path, parameters, seconds):
                yield line

        self._wire.lines = lines  # type: ignore[method-assign]
        return self

    async def list(self, kind: str, selector: str = "", field_selector: str = "") -> Listing:
        self.lists += 1
        found = await super().list(kind, selector, field_selector)
        return Listing([], "1") if self.lists == 1 else found


def test_forgotten_version(site: Site, release: Releases) -> None:
    """A version that the server has forgotten is answered by a new list, from which the watch goes on."""
    site.deploy(release("r-one"))

    async def follow() -> tuple[int, list[Any], list[Any]]:
        changed = asyncio.Event()
        async with ForgetfulApi(site.role.access, site.admin.namespace) as api:
            reflector = Reflector(api, "Pod", changed, f"app={NAME}")
            task = asyncio.create_task(reflector.run())
            async with asyncio.timeout(20):
                while len(reflector.items) != 2:
                    await asyncio.sleep(0.1)
                before = reflector.items
                await asyncio.to_thread(site.admin.scale, NAME, 3)
                while len(reflector.items) != 3:
                    await asyncio.sleep(0.1)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            return api.lists, before, reflector.items

    lists, before, after = asyncio.run(follow())
    assert lists == 2
    assert (len(before), len(after)) == (2, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"metadata": {"annotations": {"nocturne.io/release": "r-else"}}},
            "asked to run release r-else .*somebody deployed meanwhile",
        ),
        (None, "found no Deployment web"),
    ],
)
def test_somebody_else(site: Site, release: Releases, change: dict[str, Any] | None, message: str) -> None:
    """Somebody who deploys something else, or deletes it, in mid-rollout ends the watch without a verdict on the release."""
    never = release("r-never", "never-ready")
    site.cluster().apply(never)

    async def watch() -> None:
        async with asyncio.timeout(30):
            async for _ in looks(site, never):
                if change:
                    await asyncio.to_thread(site.admin.patch, "deployments", NAME, change)
                else:
                    await asyncio.to_thread(site.admin.delete, "deployments", NAME)

    with pytest.raises(Broken, match=message):
        asyncio.run(watch())


def test_flapping(site: Site, release: Releases) -> None:
    """Pods that get ready and unready again and again have failed, though Kubernetes itself would go on."""
    flapping = release("r-flapping", "flapping", files=manifests())
    site.cluster().apply(flapping)
    site.admin.patch("deployments", NAME, {"spec": {"minReadySeconds": 30}})
    last = watched(site, flapping)[-1]
    assert (last.phase, last.blameless) == (Phase.FAILED, False)
    assert "stopped being ready 3 times" in last.message


def test_watch_after_a_crash(site: Site, release: Releases) -> None:
    """A release that was complete and then crashed is told by a watch afterwards, with its restarts and last words."""
    crashing = release("r-crashing", "crash-when-asked")
    site.cluster().apply(crashing)
    assert watched(site, crashing)[-1].phase is Phase.COMPLETE
    deadline = time.monotonic() + 120
    while (look := watched(site, crashing)[-1]).phase is not Phase.FAILED:
        assert time.monotonic() < deadline, look
        with suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{site.port}/crash")
        time.sleep(1)
    assert look.restarts >= 1
    assert "container app ended with exit code 7" in look.message
    assert "the model's worker has died" in look.message


def test_secret_that_comes_late(site: Site, release: Releases) -> None:
    """A try that failed for want of a Secret is made good by the next one: its passed deadline says nothing of new containers."""
    described = deployment(deadline=10)
    container = described["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "late", "key": "key"}}}]
    # Longer than a stale condition is waited for, and shorter than the deadline.
    container["readinessProbe"]["initialDelaySeconds"] = 8
    files = {"app.yaml": yaml.safe_dump_all([service_account(), described, service()])}
    late = release("r-late", files=files)
    site.cluster().apply(late)
    failed = watched(site, late)[-1]
    assert (failed.phase, failed.blameless) == (Phase.FAILED, True)
    # The kubelet's own words for it differ with how busy it is.
    assert "CreateContainerConfigError" in failed.message
    site.admin.create("secrets", {"metadata": {"name": "late"}, "stringData": {"key": "k"}})
    deadline = time.monotonic() + 60
    while not _runs(site):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert not site.cluster().apply(late)
    assert watched(site, late)[-1].phase is Phase.COMPLETE


def _runs(site: Site) -> bool:
    pods = (site.admin.get("pods") or {})["items"]
    states = [status["state"] for pod in pods for status in pod["status"].get("containerStatuses", [])]
    return len(states) == 2 and all("running" in state for state in states)
