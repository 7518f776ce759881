"""End one stage of a rollout, and begin the next: what a release must show before all users get it."""

import asyncio

from nocturne.domain.errors import Broken, Inconclusive, Rejected
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import Phase, Rollout, Stage
from nocturne.steps.compare_canary import compare_canary
from nocturne.steps.desired import desired_state
from nocturne.steps.examine import ask_beside
from nocturne.steps.look import look, relapse
from nocturne.steps.rejection import failed
from nocturne.steps.roll_out import Started, start_roll_out, start_stage, stopped_by_hold, take_lease, wait_for_roll_out
from nocturne.steps.world import Outcome, Run, World


def roll_out_and_wait(world: World, run: Run, release: Release, cause: Cause, reason: str = "") -> Outcome:
    """All stages one after the other, waiting here. Raises what starting and ending a stage raise."""
    stage = start_roll_out(world, run, release, cause, reason)
    while isinstance(stage, Started):
        last = asyncio.run(wait_for_roll_out(world, run.environment, stage.desired, stage.deadline))
        stage = end_stage(world, run, release, cause, stage.desired.stage, last)
    return stage


def end_stage(world: World, run: Run, release: Release, cause: Cause, stage: Stage, last: Rollout | None) -> Started | Outcome:
    """Record how a stage ended, and start the next; an Outcome after the last one, and a skipped one where people
    have put a night on hold meanwhile. last: the last look at it, None without one.

    Raises Rejected unless it is complete and the new side does well (Relapsed for a release that was verified here before),
    Inconclusive when that cannot be told, and Broken when the cluster could not be seen or is to blame itself.
    """
    take_lease(world, run)
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    assert deployment is not None  # start_roll_out recorded it
    seen = _complete(world, deployment, last)
    if stage is not Stage.WHOLE:
        return _go_on(world, run, release, deployment, stage, seen)
    if deployment.state is DeploymentState.ROLLING_OUT:
        world.ledger.move_deployment(deployment.id, DeploymentState.VERIFYING, seen.message)
    return Outcome(f"rolled out to {run.environment}: {seen.message}")


def _go_on(world: World, run: Run, release: Release, deployment: Deployment, stage: Stage, seen: Rollout) -> Started | Outcome:
    """Before all users get it: people may have put the environment on hold, and the comparison ends early then."""
    if held := stopped_by_hold(world, run.environment, deployment.cause):
        return held
    try:
        told = _examined(world, release, deployment, stage, seen)
    except Rejected as error:
        raise failed(world, deployment, error) from error
    except Inconclusive as error:
        if held := stopped_by_hold(world, run.environment, deployment.cause):
            return held
        world.ledger.move_deployment(deployment.id, DeploymentState.BROKEN, error.message)
        raise
    if held := stopped_by_hold(world, run.environment, deployment.cause):
        return held
    world.log(told)
    return start_stage(world, release, deployment, Stage.WHOLE)


def _complete(world: World, deployment: Deployment, last: Rollout | None) -> Rollout:
    where = deployment.environment
    if last is None or not last.seen:
        message = last.message if last else "no look at it succeeded"
        raise Broken(f"how the rollout to {where} goes cannot be seen: {message}", advice="see whether the cluster answers")
    if last.phase is Phase.COMPLETE:
        return last
    limit = world.configuration.environment(where).rollout_timeout_seconds
    late = "" if last.phase is Phase.FAILED else f"not complete after {limit} s: "
    if last.blameless:
        message = f"the rollout to {where} could not be carried out: {late}{last.message}"
        world.ledger.move_deployment(deployment.id, DeploymentState.BROKEN, message)
        raise Broken(message, advice="this says nothing about the release: mend what is in the way; it is tried again")
    message = f"the rollout to {where} failed: {late}{last.message}"
    advice = "correct the app or its manifests; the previous release is put back by itself"
    raise failed(world, deployment, Rejected(message, advice=advice))


def _examined(world: World, release: Release, deployment: Deployment, stage: Stage, seen: Rollout) -> str:
    examine = compare_canary if stage is Stage.SHARE else ask_beside
    try:
        found = examine(world, release, deployment.environment, deployment.cause)
    except Broken as error:
        # A side that does not answer may have crashed, and that is the release's own fault.
        _refuse(release, deployment, stage, _relapse(world, release, deployment, stage, seen), error)
        raise
    _refuse(release, deployment, stage, [*found.faults, *_relapse(world, release, deployment, stage, seen)])
    if found.gaps:
        where, listing = deployment.environment, "".join(f"\n  - {gap}" for gap in found.gaps)
        raise Inconclusive(
            f"inconclusive: {release.id} cannot be compared with the live release in {where}:{listing}",
            advice=f"compare for longer, with fewer requests (environments.{where}.strategy.canary), or when more users are there",
        )
    return found.told


def _refuse(release: Release, deployment: Deployment, stage: Stage, faults: list[str], cause: Broken | None = None) -> None:
    if not faults:
        return
    listing = "".join(f"\n  - {fault}" for fault in ([cause.message] if cause else []) + faults)
    how = "as a canary" if stage is Stage.SHARE else "beside the live release"
    message = f"{release.id} does not do well {how} in {deployment.environment}:{listing}"
    raise Rejected(message, advice="the previous release keeps all users; see the app's log for the cause") from cause


def _relapse(world: World, release: Release, deployment: Deployment, stage: Stage, seen: Rollout) -> list[str]:
    desired = desired_state(world.ledger, release, deployment, stage)
    return relapse(seen.restarts, look(world, deployment.environment, desired))
