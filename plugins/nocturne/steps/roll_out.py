"""Change production: the one step that anybody outside can notice."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from nocturne.domain.errors import Rejected
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import DesiredState, Phase, Rollout
from nocturne.steps.world import Outcome, Run, World

LEASE = timedelta(minutes=30)


@dataclass(frozen=True)
class Started:
    """A rollout that was asked for. deadline: when waiting for it is over, in UTC."""

    deployment: Deployment
    desired: DesiredState
    deadline: datetime


def start_roll_out(world: World, run: Run, release: Release, cause: Cause, reason: str = "") -> Started | Outcome:
    """Take the lease and ask for the release; returns at once. Calling it again after a crash takes up where it was.

    An Outcome (skipped) instead of a start where the environment is on hold. Raises LeaseTaken, and Rejected when this run's
    rollout has failed already.
    """
    hold = world.ledger.held(run.environment)
    if hold and cause is Cause.NIGHT:
        return Outcome(
            f"{run.environment} is held by {hold.by} since {hold.since[:19]} UTC: {hold.reason}. "
            f"`nocturne release resume {run.environment}` lifts the hold",
            skipped=True,
        )
    world.ledger.lease(run.environment, run.id, LEASE)
    deployment = world.ledger.open_deployment(release.id, run.environment, run.id, cause, run.requested_by, reason)
    if deployment.state is DeploymentState.REJECTED:
        raise Rejected(deployment.reason)
    if deployment.state in (DeploymentState.PLANNED, DeploymentState.BROKEN):
        deployment = world.ledger.move_deployment(deployment.id, DeploymentState.ROLLING_OUT)
    environment = world.configuration.environment(run.environment)
    deadline = datetime.fromisoformat(deployment.changed_at) + timedelta(seconds=environment.rollout_timeout_seconds)
    desired = desired_state(run, release)
    if deployment.state is DeploymentState.ROLLING_OUT:
        changed = world.cluster(run.environment).apply(desired)
        world.log(f"asked {run.environment} for {release.image}" if changed else f"{run.environment} was asked for it already")
    return Started(deployment, desired, deadline)


def finish_roll_out(world: World, run: Run, cause: Cause, last: Rollout | None) -> Outcome:
    """Record how the rollout ended; None when its time was up. Raises Rejected unless it is complete."""
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    assert deployment is not None  # start_roll_out recorded it
    if last is not None and last.phase is Phase.COMPLETE:
        if deployment.state is DeploymentState.ROLLING_OUT:
            world.ledger.move_deployment(deployment.id, DeploymentState.VERIFYING, last.message)
        return Outcome(f"rolled out to {run.environment}: {last.message}")
    limit = world.configuration.environment(run.environment).rollout_timeout_seconds
    message = last.message if last is not None else f"not complete after {limit} s"
    message = f"the rollout to {run.environment} failed: {message}"
    world.ledger.move_deployment(deployment.id, failed_state(cause), message)
    raise Rejected(message, advice="correct the app or its manifests; the previous release is put back by itself")


def failed_state(cause: Cause) -> DeploymentState:
    """What a failed deployment is: a release that was verified before and is put back is not refused, the machinery is broken."""
    return DeploymentState.BROKEN if cause is Cause.RESTORE else DeploymentState.REJECTED


def desired_state(run: Run, release: Release) -> DesiredState:
    """What the cluster is asked for."""
    inputs = release.inputs
    annotations = {
        "release": release.id,
        "commit": inputs.code.commit,
        "model": inputs.model.version,
        "run": run.id,
        "requested-by": run.requested_by,
    }
    return DesiredState(release.id, release.image, release.manifests, annotations)


async def wait_for_roll_out(world: World, environment: str, desired: DesiredState, deadline: datetime) -> Rollout | None:
    """Watch until it is complete or failed, logging each change; None when the deadline passes first."""
    seconds = (deadline - world.clock.now()).total_seconds()
    try:
        async with asyncio.timeout(max(seconds, 0.1)):
            async for rollout in world.cluster(environment).watch(desired):
                world.log(f"{rollout.phase}: {rollout.ready} of {rollout.wanted} ready; {rollout.message}")
                if rollout.phase is not Phase.PROGRESSING:
                    return rollout
    except TimeoutError:
        pass
    return None
