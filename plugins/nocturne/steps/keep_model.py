"""What a run goes on with when the newest model is refused and the app would rather ship its new code with the current one.

That a run keeps the current model is recorded in the ledger and nowhere else: every later step of the run, on any worker and in any
retry, finds the same release by asking here.
"""

from dataclasses import dataclass

from nocturne.domain.configuration import OnBadModel
from nocturne.domain.errors import Rejected
from nocturne.domain.inputs import Inputs
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.domain.states import ReleaseState
from nocturne.steps.judge_pair import live_release
from nocturne.steps.memory import remember
from nocturne.steps.trust import demand_signature
from nocturne.steps.world import Run, World

_LONGEST = 300


@dataclass(frozen=True)
class Kept:
    """release_id: what the run goes on with. reason: why it keeps the current model, in a sentence."""

    release_id: str
    reason: str


def kept(world: World, run: Run, release_id: str) -> Kept | None:
    """What this run goes on with in place of (or as) a release that it froze; None where it keeps no model."""
    known = world.ledger.recall(Subject.KEPT_MODEL, _key(run, release_id))
    return Kept(known.details["release"], known.details["reason"]) if known else None


def release_of(world: World, run: Run, release_id: str) -> Release:
    """The release that a step of this run is about. Raises NotFound."""
    found = kept(world, run, release_id)
    return world.ledger.release(found.release_id if found else release_id)


def keep(world: World, run: Run, frozen: str, release: Release, reason: str) -> None:
    """From now on the run goes on with `release` in place of the one that it froze (which may be the same)."""
    if release.state is not ReleaseState.VERIFIED:
        # Told with the release for as long as it is known. One that was verified has a story of its own.
        world.ledger.set_release_state(release.id, ReleaseState.CANDIDATE, reason)
    details = {"release": release.id, "reason": reason}
    remember(world, run, Evidence(Subject.KEPT_MODEL, _key(run, frozen), True, run.id, "", details))


def model_to_keep(world: World, run: Run) -> Release | None:
    """The live release, if the app wants its model kept and the environment still takes such a one.

    world: configured as at the commit that is to be shipped.
    """
    if world.configuration.judge.on_bad_model is not OnBadModel.KEEP_CURRENT_MODEL:
        return None
    live = live_release(world, run)
    try:
        if live is not None:
            demand_signature(world, run.environment, live.inputs.model)
    except Rejected as error:
        world.log(f"the current model cannot be kept: {error.message}")
        return None
    return live


def reason_to_keep(live: Inputs, refused: str, why: str) -> str:
    """In one line. refused: the model that is not shipped, as people know it."""
    told = " ".join(why.split())
    return f"keeps model {live.model.version}: {refused} {told[:_LONGEST]}{'...' if len(told) > _LONGEST else ''}"


def _key(run: Run, release_id: str) -> str:
    return f"{run.id}+{release_id}"
