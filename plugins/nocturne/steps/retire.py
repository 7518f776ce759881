"""Remove what a verified release has made superfluous: the previous one beside it, its canary, objects no longer wanted."""

from datetime import datetime, timedelta

from nocturne.domain.errors import LeaseTaken
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.domain.strategy import StrategyKind
from nocturne.steps.desired import desired_state
from nocturne.steps.world import Outcome, Run, World

_LEASE = timedelta(minutes=15)


def retire_at(world: World, run: Run, cause: Cause) -> datetime | Outcome:
    """When removing may begin, in UTC; an Outcome (skipped) where this run leaves nothing to remove."""
    environment = world.configuration.environment(run.environment)
    if environment.target == "swarm":
        return Outcome("Swarm keeps nothing beside the live release", skipped=True)
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    if deployment is None or deployment.state is not DeploymentState.VERIFIED:
        return Outcome("this run has verified nothing, so it removes nothing", skipped=True)
    strategy = environment.strategy
    # From when it was verified, so that a retry does not begin to wait again.
    keep = strategy.keep_seconds if strategy.kind is StrategyKind.BLUE_GREEN else 0
    return datetime.fromisoformat(deployment.changed_at) + timedelta(seconds=keep)


def retire(world: World, run: Run, release: Release, cause: Cause) -> Outcome:
    """Remove it, with the lease. Skipped where there is nothing, and while another run deploys: the next release removes it then.

    Raises Broken.
    """
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    assert deployment is not None  # retire_at found it
    try:
        world.ledger.lease(run.environment, run.id, _LEASE)
    except LeaseTaken as error:
        return Outcome(f"left for the next release to remove: {error.message}", skipped=True)
    try:
        removed = remove_superfluous(world, release, deployment)
    finally:
        world.ledger.release_lease(run.environment, run.id)
    if not removed:
        return Outcome(f"{run.environment} has nothing that {release.id} made superfluous", skipped=True)
    return Outcome(f"removed {', '.join(removed)}")


def remove_superfluous(world: World, release: Release, deployment: Deployment) -> list[str]:
    """Remove what a deployed release has made superfluous, telling the log; the lease is in hand. Raises Broken."""
    removed = world.cluster(deployment.environment).retire(desired_state(world.ledger, release, deployment))
    for name in removed:
        world.log(f"removed {name}")
    return removed
