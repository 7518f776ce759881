"""Compare a canary with the live release while users use both."""

from datetime import timedelta

from nocturne.domain.comparison import Comparison, Seen
from nocturne.domain.records import Cause, Release
from nocturne.ports.app_client import AppClient
from nocturne.ports.cluster import Cluster, NoReplica, Side
from nocturne.steps.examine import Examined, ask_beside
from nocturne.steps.own_requests import OwnRequests
from nocturne.steps.probe import Expected, Findings, ask_all, expected_of, probe
from nocturne.steps.roll_out import stopped_by_hold
from nocturne.steps.traffic import between, without
from nocturne.steps.world import World

_PAUSE_SECONDS = 0.5
_TELL_SECONDS = 30
_LIVE_SECONDS = 30
"""How long the live release may have no replica ready before it counts as down: it may just be moving to another node."""


def compare_canary(world: World, release: Release, environment: str, cause: Cause) -> Examined:
    """Both sides are asked the golden set in alternation; the new one's answers must be those that were judged.

    A wrong answer ends it at once, and so does a hold that stops a night. Where the live release has no replica that takes
    requests, the new one's answers alone decide. Raises Broken when one of the sides does not answer at all.
    """
    cluster = world.cluster(environment)
    live = _live(world, cluster)
    if live is None:
        return _alone(world, release, environment, cause)
    gates = world.configuration.environment(environment).strategy.canary
    expected, findings = expected_of(world, release), Findings()
    sides = _Sides(cluster, live)
    end = world.clock.now() + timedelta(seconds=gates.seconds)
    tell_at = world.clock.now() + timedelta(seconds=_TELL_SECONDS)
    while sides.ask(expected, findings) and world.clock.now() < end and not stopped_by_hold(world, environment, cause):
        if world.clock.now() >= tell_at:
            world.log(f"comparing until {end:%H:%M:%S} UTC: {sides.compared()}")
            tell_at += timedelta(seconds=_TELL_SECONDS)
        world.clock.sleep(_PAUSE_SECONDS)
    if findings.failed:
        return Examined(findings.faults, (), "")
    found = sides.compared()
    where = f"on {found.new.replicas} of {found.new.replicas + found.live.replicas} replicas"
    told = f"{release.id} does as well as the live release {where} for {gates.seconds} s: {found}"
    return Examined(tuple(found.objections(gates)), tuple(found.gaps(gates)), told)


def _live(world: World, cluster: Cluster) -> AppClient | None:
    """The live side's client, None when it stays without a replica."""
    end = world.clock.now() + timedelta(seconds=_LIVE_SECONDS)
    while True:
        try:
            return cluster.client(Side.LIVE)
        except NoReplica as error:
            if world.clock.now() >= end:
                return None
            world.log(f"waiting for the live release to be compared with: {error.message}")
        world.clock.sleep(_LIVE_SECONDS / 6)


def _alone(world: World, release: Release, environment: str, cause: Cause) -> Examined:
    found = ask_beside(world, release, environment, cause)
    why = "the live release has no ready replica, so there is nothing to compare with, and no user whom it serves"
    return Examined(found.faults, (), f"{why}; {found.told}")


class _Sides:
    """Both sides, and what everybody had asked of them when the comparison began."""

    def __init__(self, cluster: Cluster, live: AppClient) -> None:
        self._cluster = cluster
        self._clients = {Side.NEW: OwnRequests(cluster.client(Side.NEW)), Side.LIVE: OwnRequests(live)}
        self._before = {side: cluster.served(side) for side in Side}

    def ask(self, expected: Expected, findings: Findings) -> bool:
        """One round. False when the new side answered wrongly."""
        probe(self._clients[Side.NEW], expected, findings)
        if findings.failed:
            return False
        # The live release may well answer otherwise; the same questions make the times comparable.
        ask_all(self._clients[Side.LIVE], expected.golden)
        return True

    def compared(self) -> Comparison:
        """What both did so far."""
        return Comparison(self._seen(Side.NEW), self._seen(Side.LIVE))

    def _seen(self, side: Side) -> Seen:
        own = self._clients[side]
        users = without(between(self._before[side], self._cluster.served(side)), own.traffic)
        if users is None:
            return Seen(None, 0, own.latency)
        return Seen(users.requests, users.failed, own.latency, users.counters, users.lost)
