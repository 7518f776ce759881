"""Ask a release that stands beside the live one, before all users get it."""

from dataclasses import dataclass

from nocturne.domain.records import Cause, Release
from nocturne.ports.cluster import Side
from nocturne.steps.probe import expected_of, probe_for
from nocturne.steps.world import World


@dataclass(frozen=True)
class Examined:
    """faults: reasons not to go on. gaps: what is missing for a judgement. told: what was seen, in a sentence."""

    faults: tuple[str, ...]
    gaps: tuple[str, ...]
    told: str


def ask_beside(world: World, release: Release, environment: str, cause: Cause) -> Examined:
    """Identity and golden answers of a side that no user is sent to yet. Raises Broken when it does not answer at all.

    What is put back was verified before and users wait for it, so it is asked once and not for long.
    """
    seconds = 0 if cause is Cause.RESTORE else world.configuration.environment(environment).verify_seconds
    client = world.cluster(environment).client(Side.NEW)
    findings = probe_for(world, client, expected_of(world, release), seconds)
    return Examined(findings.faults, (), f"{release.id} answers rightly beside the live one: {findings.requests} probes")
