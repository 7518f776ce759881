"""Leave production right, whatever happened: the new release is verified, or the previous one is back."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from nocturne.domain.errors import BadBlob, BlobChanged, Broken, Conflict, Inconclusive, LeaseTaken, Rejected, Relapsed, Unclear
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.steps.end_stage import roll_out_and_wait
from nocturne.steps.keep_model import kept
from nocturne.steps.rejection import was_verified
from nocturne.steps.retire import remove_superfluous
from nocturne.steps.roll_out import found_before, take_lease
from nocturne.steps.verify_release import verify_release
from nocturne.steps.world import Run, World

_REFUSALS = (Rejected.__name__, BadBlob.__name__)
_UNDECIDED = (Inconclusive.__name__, Unclear.__name__)
_PASSING = ("", Broken.__name__, BlobChanged.__name__, Inconclusive.__name__, LeaseTaken.__name__, Relapsed.__name__)
"""Kinds of failures that another run may not meet; a task that was killed leaves none."""


class Verdict(StrEnum):
    """How a whole run ended."""

    VERIFIED = "verified"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Settlement:
    """The verdict on a run, and what to tell people. release_id: what it is about in the end, empty for none."""

    verdict: Verdict
    message: str
    release_id: str = ""


@dataclass(frozen=True)
class FailedStep:
    """A step of the run that failed. kind: the class of its error, empty where it left none. message: what it said."""

    name: str
    kind: str = ""
    message: str = ""


def settle(world: World, run: Run, release_id: str | None, cause: Cause, failed: tuple[FailedStep, ...]) -> Settlement:
    """Put the last verified release back where this run's deployment did not get that far, and give the lease up.

    release_id: what the run froze, None where it did not get as far as having one. failed: the run's steps that failed.
    Raises Broken when the previous release could not be put back; the lease stays then, and the step is worth a retry.
    """
    found = kept(world, run, release_id) if release_id else None
    if found is None:
        return dataclasses.replace(_settle(world, run, release_id, cause, failed), release_id=release_id or "")
    settled = _settle(world, run, found.release_id, cause, failed)
    # People must see that a model was refused, however well the night ended.
    return Settlement(settled.verdict, f"{settled.message}\n{found.release_id} {found.reason}", found.release_id)


def _settle(world: World, run: Run, release_id: str | None, cause: Cause, failed: tuple[FailedStep, ...]) -> Settlement:
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
    if _still_live(world, run, failed):
        # Going back further would change what users get, for a reason that says nothing about it.
        left = _without_leftovers(world, world.ledger.release(failed.release_id), failed)
        return f"{run.environment} still runs {failed.release_id}, which was verified before{left}"
    release = _previous(world, run, failed)
    if release is None:
        return _without_previous(world, run, failed)
    world.log(f"putting {release.id} back in {run.environment}")
    then = world.at(release.inputs.code.commit)
    back = _back(then, run, release)
    try:
        _deploy(then, run, release, f"{failed.release_id} failed: {failed.reason}")
    except (Rejected, Relapsed) as error:
        # It was verified before: that it cannot come back now says something about the machinery, not about it.
        raise Broken(f"{release.id} could not be put back in {run.environment}: {error.message}", advice=error.advice) from error
    except Conflict as error:
        return _left_alone(then, run, release, error)
    return f"{release.id} {back}{_without_leftovers(then, release, _restored(then, run))}"


def _deploy(world: World, run: Run, release: Release, reason: str) -> None:
    roll_out_and_wait(world, run, release, Cause.RESTORE, reason)
    verify_release(world, run, release, Cause.RESTORE)


def _left_alone(world: World, run: Run, release: Release, error: Conflict) -> str:
    """A conflict changes nothing: where the release runs all the same, production is as it was."""
    if world.cluster(run.environment).running() != release.id:
        raise Broken(f"{release.id} could not be put back in {run.environment}: {error.message}", advice=error.advice) from error
    left = _without_leftovers(world, release, _restored(world, run))
    return f"{run.environment} was left as it is, with {release.id}: {error.message}{left}"


def _restored(world: World, run: Run) -> Deployment:
    deployment = world.ledger.find_deployment(run.id, run.environment, Cause.RESTORE)
    assert deployment is not None  # rolling out recorded it
    return deployment


def _back(world: World, run: Run, release: Release) -> str:
    """Swarm takes a failed rollout back itself; elsewhere what users get now is what they always got."""
    never_left = world.configuration.environment(run.environment).target != "swarm"
    if never_left and world.cluster(run.environment).running() == release.id:
        return f"never left {run.environment} and was verified again"
    return f"is back in {run.environment} and verified"


def _without_leftovers(world: World, release: Release, deployment: Deployment) -> str:
    """Remove what a failure left beside the release that users get; returns what is to be said of it, nothing in most cases."""
    try:
        remove_superfluous(world, release, deployment)
    except Broken as error:
        # Users have the right release: that something lies about beside it is no reason to hold the lease.
        return f"; what the failed release left could not be removed, the next one removes it: {error.message}"
    return ""


def _still_live(world: World, run: Run, failed: Deployment) -> bool:
    """Whether the machinery failed while a release was deployed that was live already, and still is."""
    live = world.ledger.live(run.environment)
    if failed.state is not DeploymentState.BROKEN or live is None or live.release_id != failed.release_id:
        return False
    return world.cluster(run.environment).running() == failed.release_id


def _previous(world: World, run: Run, failed: Deployment) -> Release | None:
    for deployment in world.ledger.verified(run.environment):
        if deployment.release_id != failed.release_id:
            return world.ledger.release(deployment.release_id)
    return None


def _without_previous(world: World, run: Run, failed: Deployment) -> str:
    cluster = world.cluster(run.environment)
    running = cluster.running()
    served = was_verified(world, failed) or found_before(world, failed)
    if served or running not in (None, failed.release_id):
        # It may serve users, whatever this ledger knows: taking it away would make things worse.
        return f"{run.environment} has no other verified release, so what runs there ({running or 'nothing'}) was left alone"
    # Also where nothing runs yet: what was begun may come up later, with nobody looking.
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
    if any(step.kind in _UNDECIDED for step in failed):
        # What is unclear stays so; its message says what would change that.
        again = "" if any(step.kind == Unclear.__name__ for step in failed) else "; the next run tries again"
        return Settlement(Verdict.INCONCLUSIVE, f"{subject} was not shipped: {told}\n{production}{again}")
    again = "; the next run tries again" if all(step.kind in _PASSING for step in failed) else ""
    return Settlement(Verdict.BROKEN, f"{subject} did not get through: {told}\n{production}{again}")
