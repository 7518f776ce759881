"""Run one step of a release, with the configuration that was frozen with it."""

from collections.abc import Callable
from typing import TypeVar

from nocturne.domain.errors import Rejected
from nocturne.domain.records import Release
from nocturne.steps.keep_model import release_of
from nocturne.steps.rejection import reject
from nocturne.steps.world import Outcome, Run, World

Found = TypeVar("Found")
Step = Callable[[World, Run, Release], Outcome]


def perform(step: Callable[[World, Run, Release], Found], world: World, run: Run, release_id: str) -> Found:
    """Call a step; what it refuses is in quarantine before the error goes on.

    release_id: what the run froze; the step is about the release that the run goes on with in its place, if there is one.
    """
    release = release_of(world, run, release_id)
    try:
        return step(world.at(release.inputs.code.commit), run, release)
    except Rejected as error:
        raise reject(world, run, release.id, error) from error
