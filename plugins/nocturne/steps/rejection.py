"""Remembering that a release was refused, or that it failed on its way into an environment."""

from nocturne.domain.errors import BadBlob, Rejected, Relapsed
from nocturne.domain.records import Deployment
from nocturne.domain.states import DeploymentState, ReleaseState
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


def failed(world: World, deployment: Deployment, error: Rejected) -> Rejected | Relapsed:
    """Record that a deployment failed because of its release. Returns what is to be raised.

    A release that was verified in this environment before is not refused: what is around it has changed, the machinery is broken.
    """
    if was_verified(world, deployment):
        world.ledger.move_deployment(deployment.id, DeploymentState.BROKEN, error.message)
        advice = "it was verified here before: see what has changed around it; it is not in quarantine"
        return Relapsed(error.message, advice=advice)
    world.ledger.move_deployment(deployment.id, DeploymentState.REJECTED, error.message)
    return error


def was_verified(world: World, deployment: Deployment) -> bool:
    """Whether the release of a deployment was verified in its environment before, be it by this very run."""
    earlier = any(item.release_id == deployment.release_id for item in world.ledger.verified(deployment.environment, limit=1000))
    return earlier or any(state == DeploymentState.VERIFIED for _, state, _ in world.ledger.events(deployment.id))
