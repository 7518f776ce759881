"""Decide what a rollback puts back, and stop the nights until somebody lifts the hold."""

from nocturne.domain.errors import NotFound
from nocturne.domain.records import Release
from nocturne.steps.world import Run, World


def choose_release(world: World, run: Run, wanted: str | None, reason: str) -> Release:
    """The named release, or the last verified one that users do not get. Sets the hold.

    Raises NotFound, and Broken where the cluster cannot be asked what runs; nothing is changed then.
    """
    verified = world.ledger.verified(run.environment, limit=1000)
    release = world.ledger.release(wanted) if wanted else _last(world, run, [item.release_id for item in verified])
    known = list(dict.fromkeys(item.release_id for item in verified))
    if release.id not in known:
        advice = f"choose one of {', '.join(known)}" if known else "there is none to choose: let a night succeed first"
        raise NotFound(f"{release.id} was never verified in {run.environment}", advice=advice)
    hold = world.ledger.hold(run.environment, run.requested_by, reason)
    world.log(f"{run.environment} is on hold ({hold.reason}): nights stop before roll_out until it is lifted")
    world.log(f"rolling back to {release.id}: code {release.inputs.code.commit[:12]}, model {release.inputs.model.version}")
    return release


def _last(world: World, run: Run, verified: list[str]) -> Release:
    """The one that was live before the live one came. verified: newest first, with repetitions.

    By the first time that each was verified: after a rollback from A to B the next goes on to what was before B, not back to A.
    Where users get a release that was never verified, or none, the live one is itself what to go back to.
    """
    if verified and world.cluster(run.environment).running() not in verified:
        return world.ledger.release(verified[0])
    in_order = list(dict.fromkeys(reversed(verified)))
    before = in_order[: in_order.index(verified[0])] if verified else []
    if before:
        return world.ledger.release(before[-1])
    since = verified[0] if verified else "the first"
    raise NotFound(
        f"{run.environment} has no verified release to go back to: found none from before {since}",
        advice="release something else first, or name a release with --to",
    )
