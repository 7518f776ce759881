"""Perform a step that nothing outside can notice, and where only the model is refused, go on with the current one if wanted."""

import dataclasses

from nocturne.domain.errors import BlobChanged, Rejected
from nocturne.domain.model import FrozenModel
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.judge_model import judge_model
from nocturne.steps.keep_model import keep, kept, model_to_keep, reason_to_keep, release_of
from nocturne.steps.perform import Step, perform
from nocturne.steps.world import Outcome, Run, World

_REPLACING: tuple[Step, ...] = (fetch_model, judge_model)
"""Only where these refuse a model another one takes its place: later nobody would judge it any more."""


def prepare(step: Step, world: World, run: Run, release_id: str, named: bool = False) -> Outcome:
    """Raises what the step raises. named: a person has named the model, so no other is put in its place.

    Killed anywhere in between, it ends in the same place: the refusal is in the ledger before the current model is kept, and a step
    that refused something in a run refuses it again.
    """
    try:
        return perform(step, world, run, release_id)
    except Rejected as error:
        if named or step not in _REPLACING or not _keeps(world, run, release_id, error):
            raise
    outcome = perform(step, world, run, release_id)
    found = kept(world, run, release_id)
    assert found is not None
    world.log(found.reason)
    return Outcome(f"{found.release_id} {found.reason}; {outcome.message}")


def _keeps(world: World, run: Run, release_id: str, error: Rejected) -> bool:
    """Whether the run goes on with the new code and the live release's model from now on."""
    release = release_of(world, run, release_id)
    live = model_to_keep(world.at(release.inputs.code.commit), run)
    if live is None or not _blames(error, release.inputs.model):
        return False
    inputs = dataclasses.replace(release.inputs, model=live.inputs.model)
    if inputs.release_id in (live.id, release.id):
        return False  # nothing new is left
    subjects = (inputs.release_id, inputs.code.tree, inputs.model.digest, inputs.model.label)
    if not run.force and world.ledger.quarantined(*subjects):
        return False
    other = world.ledger.open_release(inputs, release.manifests)
    try:
        # What is demanded of a model is demanded of this one too, by the rules of the new code.
        perform(fetch_model, world, run, other.id)
    except (Rejected, BlobChanged) as refused:
        world.log(f"model {live.inputs.model.version} cannot be kept: {refused.message}")
        return False
    why = f"{release.id} with model {release.inputs.model.version} was refused:"
    keep(world, run, release_id, world.ledger.release(other.id), reason_to_keep(live.inputs, why, error.message))
    return True


def _blames(error: Rejected, model: FrozenModel) -> bool:
    """Whether nothing but the model is to blame."""
    return bool(error.culprits) and set(error.culprits) <= {model.digest, model.label}
