import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from nocturne.ports.app_client import AppClient
from nocturne.ports.cluster import Cluster, Counters, DesiredState, NoReplica, Phase, Rollout, Side, Stage, Traffic
from tests.fakes.app_client import FakeAppClients
from tests.fakes.scripted import Scripted

COMPLETE = Rollout(Phase.COMPLETE, 2, 2, "2 of 2 ready")
FAILED = Rollout(Phase.FAILED, 0, 2, "the new tasks never got ready")
PROGRESSING = Rollout(Phase.PROGRESSING, 1, 2, "1 of 2 ready")


class FakeCluster(Scripted, Cluster):
    """Runs what it is asked to. applied: every state that was asked for and differed from the one before.

    before_whole: the stage with which a release begins that takes over from another one. desired: what all users get; beside: what
    stands beside it. faults: what `check` finds. drifted: what `drift` finds, until something is applied. counters: what `traffic`
    tells; counted: what `served` tells of a side, besides what was asked through `client`. down: sides without a replica. How the
    rollout of a release goes is said by `script`; without a script it progresses and completes, and stays so unless `afterwards`
    says otherwise.
    """

    def __init__(self, url: str = "http://app.test", clients: FakeAppClients | None = None) -> None:
        super().__init__()
        self.url = url
        self.applied: list[DesiredState] = []
        self.faults: list[str] = []
        self.drifted: list[str] = []
        self.counters: Traffic | None = None
        self.counted: dict[Side, Traffic] | None = None
        self.down: set[Side] = set()
        self.before_whole = Stage.WHOLE
        self.desired: DesiredState | None = None
        self.beside: DesiredState | None = None
        self._clients = clients
        self._previous: DesiredState | None = None
        self._scripts: dict[tuple[str, Stage | None], list[Rollout | Exception]] = {}
        self._complete: set[tuple[str, Stage]] = set()
        self._afterwards: dict[tuple[str, Stage | None], list[Rollout]] = {}

    def script(self, release_id: str, *looks: Rollout | Exception, stage: Stage | None = None) -> None:
        """What watching a release shows, in order; an exception is raised once. Without an end in it, watching goes on for ever.

        stage: the one that it goes so in; all of them without one.
        """
        self._scripts[release_id, stage] = list(looks)
        self._complete = {known for known in self._complete if known[0] != release_id}

    def afterwards(self, release_id: str, *looks: Rollout, stage: Stage | None = None) -> None:
        """What watching a release's rollout shows once it was seen complete, each up to an end; the last look stays."""
        self._afterwards[release_id, stage] = list(looks)

    def check(self, manifests: dict[str, str]) -> list[str]:
        self._called("check")
        return list(self.faults)

    def first_stage(self, desired: DesiredState) -> Stage:
        self._called("first_stage")
        if self.desired is None or (self.desired.release_id, self.desired.image) == (desired.release_id, desired.image):
            return Stage.WHOLE
        return self.before_whole

    def apply(self, desired: DesiredState) -> bool:
        self._called("apply")
        if desired in (self.desired, self.beside) and not self.drifted:
            return False
        self.applied.append(desired)
        self.drifted = []
        if desired.stage is Stage.WHOLE:
            self._take_over(desired)
        else:
            self.beside = desired
        return True

    def _take_over(self, desired: DesiredState) -> None:
        """Blue-green leaves the previous release, or what stood beside, for `retire`; a canary goes at once."""
        if self.before_whole is not Stage.BESIDE or (self.beside and self.beside.release_id == desired.release_id):
            self.beside = None
        if self.before_whole is Stage.BESIDE and self.desired and self.desired.release_id != desired.release_id:
            self._previous = self.desired
        self.desired = desired

    async def watch(self, desired: DesiredState) -> AsyncIterator[Rollout]:
        self._called("watch")
        key = (desired.release_id, desired.stage)
        if key in self._complete:
            later = self._afterwards.get(key) or self._afterwards.get((desired.release_id, None)) or [COMPLETE]
            while len(later) > 1:
                yield (seen := later.pop(0))
                if seen.phase is not Phase.PROGRESSING:
                    return
            yield later[0]
            if later[0].phase is not Phase.PROGRESSING:
                return
            await asyncio.Event().wait()
        looks = self._scripts.get(key) or self._scripts.get((desired.release_id, None)) or [PROGRESSING, COMPLETE]
        for look in list(looks):
            if isinstance(look, Exception):
                looks.remove(look)
                raise look
            if look.phase is Phase.COMPLETE:
                self._complete.add(key)
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

    def retire(self, desired: DesiredState) -> list[str]:
        self._called("retire")
        if self.desired is None or self.desired.release_id != desired.release_id:
            return []
        old = [state for state in (self.beside, self._previous) if state]
        self.beside = self._previous = None
        return [f"Deployment of {state.release_id}" for state in old]

    def drift(self, desired: DesiredState) -> list[str]:
        self._called("drift")
        return list(self.drifted)

    def client(self, side: Side) -> AppClient:
        self._called("client")
        if self._clients is None or side in self.down or (side is Side.NEW and self.beside is None):
            raise NoReplica(f"the {side} side has no ready replica")
        return self._clients.open(self.address(side))

    def served(self, side: Side) -> Counters | None:
        self._called("served")
        if self.counted is None or self._clients is None:
            return None
        own = sum(count for call, count in self._clients.calls.items() if call.startswith(f"{self.address(side)} "))
        return {f"the pod of {side}": replace(self.counted[side], requests=self.counted[side].requests + own)}

    def address(self, side: Side) -> str:
        """Where a fake app answers for a side."""
        return f"{self.url}/{side}"

    def traffic(self) -> Counters | None:
        self._called("traffic")
        return {"front door": self.counters} if self.counters else None

    def public_url(self) -> str:
        self._called("public_url")
        return self.url
