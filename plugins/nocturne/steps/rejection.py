"""Remembering that a release was refused."""

from nocturne.domain.errors import BadBlob, Rejected
from nocturne.domain.states import ReleaseState
from nocturne.steps.world import Run, World


def reject(world: World, run: Run, release_id: str, error: Rejected) -> Rejected:
    """Put the release (none for "") and the error's culprits into quarantine. Returns the error, to be raised.

    A bad blob says nothing about the release: it would be the same one once the model is published whole.
    """
    subjects = error.culprits if isinstance(error, BadBlob) else (release_id, *error.culprits)
    for subject in filter(None, subjects):
        world.ledger.quarantine(subject, error.message, run.id)
    if release_id:
        world.ledger.set_release_state(release_id, ReleaseState.REJECTED, error.message)
    return error
