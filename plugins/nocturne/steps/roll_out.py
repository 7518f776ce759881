"""Change production: the one step that anybody outside can notice. Here it begins and is waited for; see end_stage too."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from nocturne.domain.errors import Conflict, Rejected
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import DesiredState, Phase, Rollout, Stage
from nocturne.steps.desired import desired_state
from nocturne.steps.look import looks
from nocturne.steps.rejection import failed, was_verified
from nocturne.steps.world import Outcome, Run, World

_AT_LEAST_SECONDS = 15.0
"""However late a watcher comes: time for a look at a rollout that may be complete long since."""


@dataclass(frozen=True)
class Started:
    """A stage of a rollout that was asked for. deadline: when waiting for it is over, in UTC."""

    deployment: Deployment
    desired: DesiredState
    deadline: datetime


def start_roll_out(world: World, run: Run, release: Release, cause: Cause, reason: str = "") -> Started | Outcome:
    """Take the lease and ask for the release's first stage; returns at once. Calling it again after a crash takes up where it was.

    An Outcome (skipped) instead of a start where the environment is on hold: what the run has changed already is for settle to
    take back. Raises LeaseTaken, Conflict when somebody else owns what has to change, and Rejected when this run's rollout has
    failed already.
    """
    take_lease(world, run)
    begun = world.ledger.find_deployment(run.id, run.environment, cause)
    if begun is not None and begun.state is DeploymentState.REJECTED:
        raise Rejected(begun.reason)
    # Only with the lease in hand: a rollback that had it until now may just have set the hold.
    held = stopped_by_hold(world, run.environment, cause)
    if held is not None:
        if begun is None or begun.state is DeploymentState.PLANNED:
            world.ledger.release_lease(run.environment, run.id)
        return held
    deployment = world.ledger.open_deployment(release.id, run.environment, run.id, cause, run.requested_by, reason)
    if deployment.state is DeploymentState.PLANNED:
        deployment = world.ledger.move_deployment(deployment.id, DeploymentState.ROLLING_OUT, _found(world, deployment))
    elif deployment.state is DeploymentState.BROKEN or _was_replaced(world, run, deployment):
        deployment = world.ledger.move_deployment(deployment.id, DeploymentState.ROLLING_OUT)
    if deployment.state is DeploymentState.ROLLING_OUT:
        return start_stage(world, release, deployment, _first_stage(world, release, deployment))
    return Started(deployment, desired_state(world.ledger, release, deployment), _deadline(world, deployment))


def start_stage(world: World, release: Release, deployment: Deployment, stage: Stage) -> Started:
    """Ask for one stage. What is refused is in the ledger before the error goes on."""
    desired = desired_state(world.ledger, release, deployment, stage)
    try:
        changed = world.cluster(deployment.environment).apply(desired)
    except Rejected as error:
        raise failed(world, deployment, error) from error
    except Conflict as error:
        world.ledger.move_deployment(deployment.id, DeploymentState.BROKEN, error.message)
        raise
    where = deployment.environment if stage is Stage.WHOLE else f"{deployment.environment} ({stage})"
    world.log(f"asked {where} for {release.image}" if changed else f"{where} was asked for it already")
    return Started(deployment, desired, _deadline(world, deployment))


def take_lease(world: World, run: Run) -> None:
    """Take or renew the lease for as long as a rollout and its verification may take. Raises LeaseTaken."""
    seconds = world.configuration.environment(run.environment).lease_seconds
    world.ledger.lease(run.environment, run.id, timedelta(seconds=seconds))


def stopped_by_hold(world: World, environment: str, cause: Cause) -> Outcome | None:
    """Why a night must not go on, None where it may. What people ask for is not stopped by what people ask for."""
    hold = world.ledger.held(environment) if cause is Cause.NIGHT else None
    if hold is None:
        return None
    lift = f"`nocturne release resume {environment}` lifts the hold"
    return Outcome(f"{environment} is held by {hold.by} since {hold.since[:19]} UTC: {hold.reason}. {lift}", skipped=True)


def found_before(world: World, deployment: Deployment) -> str:
    """What ran when a deployment began that nothing verified went before, in words; empty for nothing."""
    begun = (reason for _, state, reason in world.ledger.events(deployment.id) if state == DeploymentState.ROLLING_OUT)
    return next(begun, "")


async def wait_for_roll_out(world: World, environment: str, desired: DesiredState, deadline: datetime) -> Rollout | None:
    """Watch until it is complete or failed or the deadline passes, logging each change. Returns the last look, None without one."""
    last: Rollout | None = None
    seconds = (deadline - world.clock.now()).total_seconds()
    cluster = await asyncio.to_thread(world.cluster, environment)
    try:
        async with asyncio.timeout(max(seconds, _AT_LEAST_SECONDS)), looks(cluster, desired) as watch:
            async for last in watch:
                world.log(f"{last.phase}: {last.ready} of {last.wanted} ready; {last.message}")
                if last.phase is not Phase.PROGRESSING:
                    return last
    except TimeoutError:
        pass
    return last


def _first_stage(world: World, release: Release, deployment: Deployment) -> Stage:
    stage = world.cluster(deployment.environment).first_stage(desired_state(world.ledger, release, deployment))
    # What was verified before is not compared again: neither a rollback nor putting right a change made by hand must need users'
    # requests to succeed.
    return Stage.WHOLE if stage is Stage.SHARE and was_verified(world, deployment) else stage


def _deadline(world: World, deployment: Deployment) -> datetime:
    """Counted from now: only who was looked at for the whole limit is late. Retries are few, so that they do not put it off for
    ever, and what came between them (a comparison, a cluster that was away) says nothing about the release.
    """
    return world.clock.now() + timedelta(seconds=world.configuration.environment(deployment.environment).rollout_timeout_seconds)


def _found(world: World, deployment: Deployment) -> str:
    """Only asked where settle could not tell otherwise whether the app was there before: no release was verified here yet."""
    if world.ledger.live(deployment.environment):
        return ""
    running = world.cluster(deployment.environment).running()
    return f"{running} ran here before, which this ledger does not know" if running else ""


def _was_replaced(world: World, run: Run, deployment: Deployment) -> bool:
    """Whether something else runs though this run has verified it: an operator has cleared the run's tasks meanwhile."""
    return deployment.state is DeploymentState.VERIFIED and world.cluster(run.environment).running() != deployment.release_id
