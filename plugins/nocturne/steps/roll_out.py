"""Change production: the one step that anybody outside can notice."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from nocturne.domain.errors import Broken, Rejected
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import DesiredState, Phase, Rollout
from nocturne.steps.world import Outcome, Run, World

_AROUND_LEASE = timedelta(minutes=15)
_AT_LEAST_SECONDS = 15.0
"""However late a watcher comes: time for a look at a rollout that may be complete long since."""


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
    take_lease(world, run)
    # Only with the lease in hand: a rollback that had it until now may just have set the hold.
    held = _held(world, run) if cause is Cause.NIGHT else None
    if held is not None:
        world.ledger.release_lease(run.environment, run.id)
        return held
    deployment = world.ledger.open_deployment(release.id, run.environment, run.id, cause, run.requested_by, reason)
    if deployment.state is DeploymentState.REJECTED:
        raise Rejected(deployment.reason)
    if deployment.state in (DeploymentState.PLANNED, DeploymentState.BROKEN) or _was_replaced(world, run, deployment):
        deployment = world.ledger.move_deployment(deployment.id, DeploymentState.ROLLING_OUT)
    environment = world.configuration.environment(run.environment)
    deadline = datetime.fromisoformat(deployment.changed_at) + timedelta(seconds=environment.rollout_timeout_seconds)
    desired = desired_state(world, run, release, deployment)
    if deployment.state is DeploymentState.ROLLING_OUT:
        changed = world.cluster(run.environment).apply(desired)
        world.log(f"asked {run.environment} for {release.image}" if changed else f"{run.environment} was asked for it already")
    return Started(deployment, desired, deadline)


def finish_roll_out(world: World, run: Run, cause: Cause, last: Rollout | None) -> Outcome:
    """Record how the rollout ended; last: the last look at it, None where there was none. Raises Rejected unless it is complete,
    Broken when the cluster could not be seen.
    """
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    assert deployment is not None  # start_roll_out recorded it
    if last is None or not last.seen:
        message = last.message if last else "no look at it succeeded"
        raise Broken(
            f"how the rollout to {run.environment} goes cannot be seen: {message}", advice="see whether the cluster answers"
        )
    if last.phase is Phase.COMPLETE:
        if deployment.state is DeploymentState.ROLLING_OUT:
            world.ledger.move_deployment(deployment.id, DeploymentState.VERIFYING, last.message)
        return Outcome(f"rolled out to {run.environment}: {last.message}")
    limit = world.configuration.environment(run.environment).rollout_timeout_seconds
    late = "" if last.phase is Phase.FAILED else f"not complete after {limit} s: "
    message = f"the rollout to {run.environment} failed: {late}{last.message}"
    world.ledger.move_deployment(deployment.id, failed_state(cause), message)
    raise Rejected(message, advice="correct the app or its manifests; the previous release is put back by itself")


def take_lease(world: World, run: Run) -> None:
    """Take or renew the lease for as long as a rollout, its verification and its restoration may take. Raises LeaseTaken."""
    environment = world.configuration.environment(run.environment)
    seconds = environment.rollout_timeout_seconds + environment.verify_seconds
    world.ledger.lease(run.environment, run.id, timedelta(seconds=seconds) + _AROUND_LEASE)


def failed_state(cause: Cause) -> DeploymentState:
    """What a failed deployment is: a release that was verified before and is put back is not refused, the machinery is broken."""
    return DeploymentState.BROKEN if cause is Cause.RESTORE else DeploymentState.REJECTED


def desired_state(world: World, run: Run, release: Release, deployment: Deployment) -> DesiredState:
    """What the cluster is asked for. A retry after a crash asks for the very same; each new try of a run for something new."""
    inputs = release.inputs
    tries = sum(state == DeploymentState.ROLLING_OUT for _, state, _ in world.ledger.events(deployment.id))
    annotations = {
        "release": release.id,
        "commit": inputs.code.commit,
        "model": inputs.model.version,
        "run": run.id if tries <= 1 else f"{run.id} (try {tries})",
        "requested-by": run.requested_by,
    }
    return DesiredState(release.id, release.image, release.manifests, annotations)


async def wait_for_roll_out(world: World, environment: str, desired: DesiredState, deadline: datetime) -> Rollout | None:
    """Watch until it is complete or failed or the deadline passes, logging each change. Returns the last look, None without one."""
    last: Rollout | None = None
    seconds = (deadline - world.clock.now()).total_seconds()
    cluster = await asyncio.to_thread(world.cluster, environment)
    try:
        async with asyncio.timeout(max(seconds, _AT_LEAST_SECONDS)):
            async for last in cluster.watch(desired):
                world.log(f"{last.phase}: {last.ready} of {last.wanted} ready; {last.message}")
                if last.phase is not Phase.PROGRESSING:
                    return last
    except TimeoutError:
        pass
    return last


def _held(world: World, run: Run) -> Outcome | None:
    hold = world.ledger.held(run.environment)
    if hold is None:
        return None
    lift = f"`nocturne release resume {run.environment}` lifts the hold"
    return Outcome(f"{run.environment} is held by {hold.by} since {hold.since[:19]} UTC: {hold.reason}. {lift}", skipped=True)


def _was_replaced(world: World, run: Run, deployment: Deployment) -> bool:
    """Whether something else runs though this run has verified it: an operator has cleared the run's tasks meanwhile."""
    return deployment.state is DeploymentState.VERIFIED and world.cluster(run.environment).running() != deployment.release_id
