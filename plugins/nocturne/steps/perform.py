"""Run one step of a release, with the configuration that was frozen with it."""

from collections.abc import Callable

from nocturne.domain.errors import Rejected
from nocturne.domain.records import Release
from nocturne.steps.rejection import reject
from nocturne.steps.world import Outcome, Run, World

Step = Callable[[World, Run, Release], Outcome]


def perform(step: Step, world: World, run: Run, release_id: str) -> Outcome:
    """Call a step; what it refuses is in quarantine before the error goes on."""
    release = world.ledger.release(release_id)
    try:
        return step(world.at(release.inputs.code.commit), run, release)
    except Rejected as error:
        raise reject(world, run, release.id, error) from error
