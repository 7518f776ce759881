"""Remembering that a release was refused."""

from nocturne.domain.errors import Rejected
from nocturne.domain.states import ReleaseState
from nocturne.steps.world import Run, World


def reject(world: World, run: Run, release_id: str, error: Rejected) -> Rejected:
    """Put the release (none for "") and the error's culprits into quarantine. Returns the error, to be raised."""
    for subject in filter(None, (release_id, *error.culprits)):
        world.ledger.quarantine(subject, error.message, run.id)
    if release_id:
        world.ledger.set_release_state(release_id, ReleaseState.REJECTED, error.message)
    return error
