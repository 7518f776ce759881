"""Try the frozen code with the frozen model on the golden set, beside the live release."""

import json

from nocturne.domain.errors import BlobChanged, Rejected
from nocturne.domain.golden import GoldenSet, parse_golden_set
from nocturne.domain.inputs import Inputs
from nocturne.domain.judgement import Judgement, objections
from nocturne.domain.model import FrozenModel
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.steps.checkout import checked_out
from nocturne.steps.fetch_model import model_folder
from nocturne.steps.memory import recall, remember
from nocturne.steps.world import Outcome, Run, World


def judge_model(world: World, run: Run, release: Release) -> Outcome:
    """Skipped where this pair was judged good before. Raises Rejected with every objection."""
    inputs = release.inputs
    key = judgement_key(inputs)
    known = recall(world, run, Subject.JUDGEMENT, key)
    if known and known.passed:
        accuracy = Judgement.from_dict(known.details["judgement"]).accuracy
        return Outcome(f"judged good on {known.recorded_at[:10]} (run {known.run_id}): accuracy {accuracy:.2%}", skipped=True)
    golden = golden_set(world, inputs)
    challenger = _evaluate(world, inputs, inputs.model, golden)
    champion = _champion(world, run, inputs, golden)
    found = objections(challenger, champion, world.configuration.judge)
    details = {"judgement": challenger.to_dict(), "objections": found}
    remember(world, run, Evidence(Subject.JUDGEMENT, key, not found, run.id, "", details))
    if found:
        raise _rejection(world, run, inputs, found)
    against = f", the live release has {champion.accuracy:.2%}" if champion and champion.accuracy is not None else ""
    return Outcome(
        f"accuracy {challenger.accuracy:.2%} on {len(challenger.answers)} golden samples{against}; "
        f"latency p50 {challenger.latency_p50_ms:.1f} ms, p99 {challenger.latency_p99_ms:.1f} ms"
    )


def judgement_key(inputs: Inputs) -> str:
    """What a judgement is about: this code with this model."""
    return f"{inputs.code.tree}+{inputs.model.digest}"


def golden_set(world: World, inputs: Inputs) -> GoldenSet:
    """The golden set of the frozen code."""
    path = world.configuration.judge.golden
    return parse_golden_set(world.code.read(inputs.code.commit, path), f"{path} at {inputs.code.commit[:12]}")


def _evaluate(world: World, inputs: Inputs, model: FrozenModel, golden: GoldenSet) -> Judgement:
    gates = world.configuration.judge
    with checked_out(world, inputs.code.commit) as app, model_folder(world, model) as folder:
        places = {"{model}": str(folder), "{golden}": str(app / gates.golden)}
        command = [places.get(word, word) for word in gates.command]
        finished = world.environment.run(app, command, timeout=gates.timeout_seconds, log=lambda line: None)
    if finished.exit_code != 0:
        ending = f"exit code {finished.exit_code}" if finished.exit_code is not None else f"no end after {gates.timeout_seconds} s"
        tail = "\n".join((finished.output + finished.errors).splitlines()[-20:])
        raise Rejected(
            f"the app could not evaluate model {model.version}: {ending}\n{tail}", advice="run the judge command by hand"
        )
    return _parse(finished.output, golden)


def _parse(output: str, golden: GoldenSet) -> Judgement:
    try:
        judgement = Judgement.from_evaluation(json.loads(output.strip().splitlines()[-1]), golden.digest)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Rejected(
            f"the app's evaluation printed no judgement ({type(error).__name__}: {error}): {output[-300:]!r}",
            advice="its last line must be the JSON object that docs/configuration.md describes",
        ) from error
    if not judgement.faults and len(judgement.answers) != len(golden.labels):
        raise Rejected(f"the evaluation answered {len(judgement.answers)} samples, expected {len(golden.labels)}")
    return judgement


def _champion(world: World, run: Run, inputs: Inputs, golden: GoldenSet) -> Judgement | None:
    """The live release's judgement on the same golden set; its model is judged anew when the golden set is another."""
    live = next(iter(world.ledger.verified(run.environment, limit=1)), None)
    if live is None:
        return None
    champion = world.ledger.release(live.release_id).inputs
    known = world.ledger.recall(Subject.JUDGEMENT, judgement_key(champion))
    if known and known.details["judgement"]["golden"] == golden.digest:
        return Judgement.from_dict(known.details["judgement"])
    try:
        return _evaluate(world, inputs, champion.model, golden)
    except (Rejected, BlobChanged) as error:
        # The new release is judged by its own gates then: a live model that cannot be had any more must not block it.
        world.log(f"warning: no comparison with the live release {live.release_id}: {error.message}")
        return None


def _rejection(world: World, run: Run, inputs: Inputs, found: list[str]) -> Rejected:
    listing = "".join(f"\n  - {objection}" for objection in found)
    proven = {world.ledger.release(item.release_id).inputs.model.digest for item in world.ledger.verified(run.environment)}
    # A model that served well with other code is not to blame alone: only this pair is refused.
    culprits = () if inputs.model.digest in proven else (inputs.model.digest,)
    return Rejected(
        f"model {inputs.model.version} with code {inputs.code.commit[:12]} is refused:{listing}",
        advice="publish a better model, or release another one with --model-version",
        culprits=culprits,
    )
