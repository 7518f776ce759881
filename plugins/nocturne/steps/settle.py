"""Leave production right, whatever happened: the new release is verified, or the previous one is back."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from nocturne.domain.errors import BadBlob, BlobChanged, Broken, LeaseTaken, Rejected
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.steps.roll_out import Started, finish_roll_out, start_roll_out, take_lease, wait_for_roll_out
from nocturne.steps.verify_release import verify_release
from nocturne.steps.world import Run, World

_REFUSALS = (Rejected.__name__, BadBlob.__name__)
_PASSING = ("", Broken.__name__, BlobChanged.__name__, LeaseTaken.__name__)
"""Kinds of failures that another run may not meet; a task that was killed leaves none."""


class Verdict(StrEnum):
    """How a whole run ended."""

    VERIFIED = "verified"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    BROKEN = "broken"


@dataclass(frozen=True)
class Settlement:
    """The verdict on a run, and what to tell people."""

    verdict: Verdict
    message: str


@dataclass(frozen=True)
class FailedStep:
    """A step of the run that failed. kind: the class of its error, empty where it left none. message: what it said."""

    name: str
    kind: str = ""
    message: str = ""


def settle(world: World, run: Run, release_id: str | None, cause: Cause, failed: tuple[FailedStep, ...]) -> Settlement:
    """Put the last verified release back where this run's deployment did not get that far, and give the lease up.

    release_id: None where the run did not get as far as having one. failed: the run's steps that failed.
    Raises Broken when the previous release could not be put back; the lease stays then, and the step is worth a retry.
    """
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    if deployment is not None and deployment.state is DeploymentState.VERIFIED:
        world.ledger.release_lease(run.environment, run.id)
        return Settlement(Verdict.VERIFIED, f"{deployment.release_id} is live and verified in {run.environment}")
    production = f"{run.environment} was not touched"
    if deployment is not None:
        production = _restore(world, run, deployment)
    world.ledger.release_lease(run.environment, run.id)
    return _verdict(world, run, release_id, failed, production)


def _restore(world: World, run: Run, failed: Deployment) -> str:
    take_lease(world, run)
    if failed.state in (DeploymentState.PLANNED, DeploymentState.ROLLING_OUT, DeploymentState.VERIFYING):
        failed = world.ledger.move_deployment(failed.id, DeploymentState.BROKEN, "the run ended before it was verified")
    release = _previous(world, run, failed)
    if release is None:
        return _without_previous(world, run, failed)
    world.log(f"putting {release.id} back in {run.environment}")
    try:
        _deploy(world.at(release.inputs.code.commit), run, release, f"{failed.release_id} failed: {failed.reason}")
    except Rejected as error:
        # It was verified before: that it cannot come back now says something about the machinery, not about it.
        raise Broken(f"{release.id} could not be put back in {run.environment}: {error.message}", advice=error.advice) from error
    return f"{release.id} is back in {run.environment} and verified"


def _deploy(world: World, run: Run, release: Release, reason: str) -> None:
    started = start_roll_out(world, run, release, Cause.RESTORE, reason)
    assert isinstance(started, Started)  # a hold stops nights only
    last = asyncio.run(wait_for_roll_out(world, run.environment, started.desired, started.deadline))
    finish_roll_out(world, run, Cause.RESTORE, last)
    verify_release(world, run, release, Cause.RESTORE)


def _previous(world: World, run: Run, failed: Deployment) -> Release | None:
    for deployment in world.ledger.verified(run.environment):
        if deployment.release_id != failed.release_id:
            return world.ledger.release(deployment.release_id)
    return None


def _without_previous(world: World, run: Run, failed: Deployment) -> str:
    cluster = world.cluster(run.environment)
    running = cluster.running()
    served = any(deployment.release_id == failed.release_id for deployment in world.ledger.verified(run.environment))
    if served or running != failed.release_id:
        # It may serve users, whatever this ledger knows: taking it away would make things worse.
        return f"{run.environment} has no other verified release, so what runs there ({running or 'nothing'}) was left alone"
    cluster.withdraw()
    return f"{run.environment} had no verified release before, so the app was taken away again"


def _verdict(world: World, run: Run, release_id: str | None, failed: tuple[FailedStep, ...], production: str) -> Settlement:
    if not failed:
        hold = world.ledger.held(run.environment)
        held = f": it is held by {hold.by} since {hold.since[:19]} UTC ({hold.reason})" if hold else ""
        return Settlement(Verdict.UNCHANGED, f"{production}{held}")
    subject = release_id or "what was asked for"
    told = "; ".join(f"{step.name}: {step.message or 'it left no message, see its log'}" for step in failed)
    if any(step.kind in _REFUSALS for step in failed):
        return Settlement(Verdict.REJECTED, f"{subject} was rejected: {told}\n{production}")
    again = "; the next run tries again" if all(step.kind in _PASSING for step in failed) else ""
    return Settlement(Verdict.BROKEN, f"{subject} did not get through: {told}\n{production}{again}")
