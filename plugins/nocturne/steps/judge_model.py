"""Try the frozen code with the frozen model on the golden set, beside the live release."""

import dataclasses

from nocturne.domain.errors import Rejected, Unclear
from nocturne.domain.inputs import Inputs
from nocturne.domain.judgement import Verdict
from nocturne.domain.records import Release
from nocturne.steps.attribute import Blame, attribute
from nocturne.steps.judge_pair import Judged, judge_pair
from nocturne.steps.memory import remember
from nocturne.steps.world import Outcome, Run, World


def judge_model(world: World, run: Run, release: Release) -> Outcome:
    """Skipped where this pair was judged before. Raises Rejected with every objection and whose fault it is, and Unclear where it
    cannot be told whether the pair is worse than the live release and the app does not ship such a one.
    """
    inputs = release.inputs
    judged = judge_pair(world, run, inputs)
    if judged.verdict is Verdict.REFUSED:
        raise _rejection(inputs, judged, _blame(world, run, inputs, judged))
    if not judged.evidence.passed:
        raise _unclear(inputs, judged)
    told = judged.told
    if judged.unclear:
        told += f'; unclear, and goes on all the same (judge.on_unclear = "ship"): {judged.unclear}'
    if judged.remembered:
        on = f"on {judged.evidence.recorded_at[:10]} (run {judged.evidence.run_id})"
        return Outcome(f"judged {judged.verdict} {on}: {told}", skipped=True)
    return Outcome(told)


def _blame(world: World, run: Run, inputs: Inputs, judged: Judged) -> Blame:
    """Found out once a run, however often the step is killed."""
    known = judged.evidence.details.get("blame")
    if known:
        return Blame(tuple(known["culprits"]), known["told"])
    blame = attribute(world, run, inputs)
    details = {**judged.evidence.details, "blame": dataclasses.asdict(blame)}
    remember(world, run, dataclasses.replace(judged.evidence, details=details))
    return blame


def _rejection(inputs: Inputs, judged: Judged, blame: Blame) -> Rejected:
    listing = "".join(f"\n  - {objection}" for objection in judged.objections)
    told = f"\n{blame.told}" if blame.told else ""
    model, code = inputs.model.digest in blame.culprits, inputs.code.tree in blame.culprits
    better = "publish a better model, or release another one with --model-version"
    mend = "correct the app and push a new commit"
    advice = f"{better}, and {mend}" if model and code else better if model else mend if code else f"{better}; or {mend}"
    return Rejected(
        f"model {inputs.model.version} with code {inputs.code.commit[:12]} is refused:{listing}{told}",
        advice=advice,
        culprits=blame.culprits,
    )


def _unclear(inputs: Inputs, judged: Judged) -> Unclear:
    known = f" (judged on {judged.evidence.recorded_at[:10]} in run {judged.evidence.run_id})" if judged.remembered else ""
    return Unclear(
        f"inconclusive: model {inputs.model.version} with code {inputs.code.commit[:12]}{known}: {judged.unclear}",
        advice="add samples to the golden set, allow a larger judge.max_accuracy_drop, or ship such models with "
        'judge.on_unclear = "ship"; nights say the same until the code, the model or the live release is another',
    )
