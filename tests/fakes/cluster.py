import asyncio
from collections.abc import AsyncIterator

from nocturne.ports.cluster import Cluster, DesiredState, Phase, Rollout, Traffic
from tests.fakes.scripted import Scripted

COMPLETE = Rollout(Phase.COMPLETE, 2, 2, "2 of 2 ready")
FAILED = Rollout(Phase.FAILED, 0, 2, "the new tasks never got ready")
PROGRESSING = Rollout(Phase.PROGRESSING, 1, 2, "1 of 2 ready")


class FakeCluster(Scripted, Cluster):
    """Runs what it is asked to. applied: every state that was asked for and differed from the one before.

    faults: what `check` finds. counters: what `traffic` tells. How the rollout of a release goes is said by `script`;
    without a script it progresses and completes.
    """

    def __init__(self, url: str = "http://app.test") -> None:
        super().__init__()
        self.url = url
        self.applied: list[DesiredState] = []
        self.faults: list[str] = []
        self.counters: Traffic | None = None
        self.desired: DesiredState | None = None
        self._scripts: dict[str, list[Rollout | Exception]] = {}

    def script(self, release_id: str, *looks: Rollout | Exception) -> None:
        """What watching a release shows, in order; an exception is raised once. Without an end in it, watching goes on for ever."""
        self._scripts[release_id] = list(looks)

    def check(self, manifests: dict[str, str]) -> list[str]:
        self._called("check")
        return list(self.faults)

    def apply(self, desired: DesiredState) -> bool:
        self._called("apply")
        if desired == self.desired:
            return False
        self.applied.append(desired)
        self.desired = desired
        return True

    async def watch(self, desired: DesiredState) -> AsyncIterator[Rollout]:
        self._called("watch")
        looks = self._scripts.get(desired.release_id, [PROGRESSING, COMPLETE])
        for look in list(looks):
            if isinstance(look, Exception):
                looks.remove(look)
                raise look
            yield look
            if look.phase is not Phase.PROGRESSING:
                return
        await asyncio.Event().wait()

    def running(self) -> str | None:
        self._called("running")
        return self.desired.release_id if self.desired else None

    def withdraw(self) -> None:
        self._called("withdraw")
        self.desired = None

    def traffic(self) -> Traffic | None:
        self._called("traffic")
        return self.counters

    def public_url(self) -> str:
        self._called("public_url")
        return self.url
