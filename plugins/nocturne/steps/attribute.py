"""Whose fault a refused pair is: the new model's, the new code's, or neither's alone."""

import dataclasses
from dataclasses import dataclass

from nocturne.domain.errors import NocturneError
from nocturne.domain.inputs import Inputs
from nocturne.domain.judgement import Verdict, objections
from nocturne.domain.records import Release
from nocturne.steps.evaluate import evaluate, golden_set
from nocturne.steps.judge_pair import Judged, judge_pair, live_release
from nocturne.steps.world import Run, World


@dataclass(frozen=True)
class Blame:
    """culprits: what goes into quarantine beside the release. told: why, in a sentence, empty where nothing was looked into."""

    culprits: tuple[str, ...]
    told: str = ""


def attribute(world: World, run: Run, inputs: Inputs) -> Blame:
    """Name the culprit of a pair that was refused. Never raises for want of knowledge: the rejection stands without it."""
    live = live_release(world, run)
    if live is None:
        return _cleared(world, run, Blame((inputs.model.digest,)))
    code = f"the live release's code {live.inputs.code.commit[:12]}"
    model = f"the live release's model {live.inputs.model.version}"
    new_code, new_model = live.inputs.code.tree != inputs.code.tree, live.inputs.model.digest != inputs.model.digest
    if new_code and new_model:
        blame = _tried(world, run, inputs, live)
    elif new_model:
        blame = Blame((inputs.model.digest,), f"to blame is the model: the code is {code}")
    elif new_code:
        blame = Blame((inputs.code.tree,), f"to blame is the code: the model is {model}")
    else:
        blame = Blame((), "code and model are the live release's: neither is to blame alone")
    return _cleared(world, run, blame)


def _tried(world: World, run: Run, inputs: Inputs, live: Release) -> Blame:
    """Each half with the other half of the live release, judged as if it had come alone.

    By the golden set and the gates of the code in the pair: an older code need not be able to read a newer golden set, and those
    two pairs are exactly what a night would judge, and remembers, if only one half had changed.
    """
    try:
        model_alone = judge_pair(world.at(live.inputs.code.commit), run, dataclasses.replace(live.inputs, model=inputs.model))
        code_alone = judge_pair(world.at(inputs.code.commit), run, dataclasses.replace(inputs, model=live.inputs.model))
        bad_model, bad_code = (half.verdict is Verdict.REFUSED for half in (model_alone, code_alone))
        found_live = _objections_now(world.at(live.inputs.code.commit), live) if bad_model and bad_code else []
    except NocturneError as error:
        return Blame((), f"which half is to blame could not be found out: {error.message}")
    told = (
        f"model {inputs.model.version} with the live code {live.inputs.code.commit[:12]} is {_verdict(model_alone)}; "
        f"code {inputs.code.commit[:12]} with the live model {live.inputs.model.version} is {_verdict(code_alone)}"
    )
    if found_live:
        return Blame((), f"perhaps neither is to blame: here the live release itself is refused now ({found_live[0]}); {told}")
    if bad_model and bad_code:
        return Blame((inputs.model.digest, inputs.code.tree), f"to blame are both, model and code: {told}")
    if bad_model:
        return Blame((inputs.model.digest,), f"to blame is the model: {told}")
    if bad_code:
        return Blame((inputs.code.tree,), f"to blame is the code: {told}")
    return Blame((), f"only together they are refused: {told}")


def _objections_now(world: World, live: Release) -> list[str]:
    """What the gates say of the live release when it is evaluated here and now: a slow or small worker fails everything."""
    return objections(evaluate(world, live.inputs, golden_set(world, live.inputs)), world.configuration.judge)


def _verdict(half: Judged) -> str:
    if half.verdict is Verdict.REFUSED:
        return f"refused too ({half.objections[0].partition(chr(10))[0]})"
    return str(half.verdict)


def _cleared(world: World, run: Run, blame: Blame) -> Blame:
    """What served users well in another release is not to blame alone: only this pair is refused then."""
    verified = [world.ledger.release(item.release_id).inputs for item in world.ledger.verified(run.environment)]
    proven = {identity for inputs in verified for identity in (inputs.code.tree, inputs.model.digest)}
    left = tuple(culprit for culprit in blame.culprits if culprit not in proven)
    if left == blame.culprits:
        return blame
    return Blame(left, f"{blame.told}; it served well in another release, so it is not put into quarantine".removeprefix("; "))
