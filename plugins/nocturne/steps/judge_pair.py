"""Judge one pair of code and model by that code's gates and golden set, once, beside the live release."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from nocturne.domain.configuration import OnUnclear
from nocturne.domain.contest import Standing, changed, contest
from nocturne.domain.errors import BlobChanged, Rejected
from nocturne.domain.golden import GoldenSet
from nocturne.domain.inputs import Inputs
from nocturne.domain.judgement import Judgement, Verdict, objections
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.steps.evaluate import evaluate, golden_set, judgement_key
from nocturne.steps.memory import recall, remember
from nocturne.steps.world import Run, World


@dataclass(frozen=True)
class Judged:
    """What is remembered of a judgement. remembered: it was known before."""

    evidence: Evidence
    remembered: bool = False

    @property
    def verdict(self) -> Verdict:
        """Earlier versions knew only good and refused."""
        known = self.evidence.details.get("verdict")
        return Verdict(known) if known else Verdict.GOOD if self.evidence.passed else Verdict.REFUSED

    @property
    def objections(self) -> tuple[str, ...]:
        """Every reason to refuse the pair."""
        return tuple(self.evidence.details["objections"])

    @property
    def unclear(self) -> str:
        """Why it cannot be told whether the pair is worse than the live release; empty where it can."""
        return str(self.evidence.details.get("unclear", ""))

    @property
    def told(self) -> str:
        """The numbers in a sentence."""
        told = self.evidence.details.get("told")
        return str(told) if told else _numbers(Judgement.from_dict(self.evidence.details["judgement"]), None)


def judge_pair(world: World, run: Run, inputs: Inputs) -> Judged:
    """Evaluate, compare and remember. world: configured as at the inputs' commit. Raises what `evaluate` raises.

    A refusal is relied on only in the run that it was made in: in a later one somebody has lifted the quarantine, to have the pair
    tried again. What was unclear is relied on for as long as the same release is live.
    """
    live = live_release(world, run)
    known = recall(world, run, Subject.JUDGEMENT, judgement_key(inputs))
    if known and (known.passed or _still_true(known, run, live)):
        return Judged(known, remembered=True)
    golden = golden_set(world, inputs)
    judgement = evaluate(world, inputs, golden)
    answered = not judgement.faults and not judgement.failure
    champion = _champion(world, live, inputs, golden) if live and answered else None
    judgement = judgement if answered else _with_known_answers(world, inputs, judgement)
    details = _compared(world, judgement, champion, golden) | {"live": live.id if live else ""}
    ships = (Verdict.GOOD, Verdict.UNCLEAR) if world.configuration.judge.on_unclear is OnUnclear.SHIP else (Verdict.GOOD,)
    evidence = Evidence(Subject.JUDGEMENT, judgement_key(inputs), details["verdict"] in ships, run.id, "", details)
    return Judged(remember(world, run, evidence))


def _with_known_answers(world: World, inputs: Inputs, judgement: Judgement) -> Judgement:
    """An evaluation without answers takes none back: a rollback to this pair must still know what users got from it."""
    known = world.ledger.recall(Subject.JUDGEMENT, judgement_key(inputs))
    before = Judgement.from_dict(known.details["judgement"]) if known else judgement
    return dataclasses.replace(judgement, answers=before.answers) if before.golden == judgement.golden else judgement


def live_release(world: World, run: Run) -> Release | None:
    """The release that was verified last in the run's environment."""
    live = world.ledger.live(run.environment)
    return world.ledger.release(live.release_id) if live else None


def _still_true(known: Evidence, run: Run, live: Release | None) -> bool:
    if known.run_id == run.id:
        return True
    same = known.details.get("live") == (live.id if live else "")
    return known.details.get("verdict") == Verdict.UNCLEAR and same


def _compared(world: World, judgement: Judgement, champion: Judgement | None, golden: GoldenSet) -> dict[str, Any]:
    """Everything to be remembered; the log is told what users would get otherwise than now."""
    gates = world.configuration.judge
    found, unclear, beside = objections(judgement, gates), "", {}
    if champion is not None:
        met, others = (
            contest(judgement.answers, champion.answers, golden, gates),
            changed(judgement.answers, champion.answers, golden),
        )
        beside = {"contest": met.to_dict(), "changed": others.to_dict()}
        if met.standing is Standing.WORSE:
            found.append(met.objection())
        elif met.standing is Standing.UNCLEAR:
            unclear = met.unclear()
        for line in others.lines():
            world.log(line)
    verdict = Verdict.REFUSED if found else Verdict.UNCLEAR if unclear else Verdict.GOOD
    told = _numbers(judgement, champion)
    return {"judgement": judgement.to_dict(), "verdict": verdict, "objections": found, "unclear": unclear, "told": told, **beside}


def _champion(world: World, live: Release, inputs: Inputs, golden: GoldenSet) -> Judgement | None:
    """The live release's judgement on the same golden set; its model is judged anew, by this code, when the set is another."""
    known = world.ledger.recall(Subject.JUDGEMENT, judgement_key(live.inputs))
    found = Judgement.from_dict(known.details["judgement"]) if known else None
    why = ""
    if found is None or found.golden != golden.digest:
        try:
            found = evaluate(world, dataclasses.replace(inputs, model=live.inputs.model), golden)
        except (Rejected, BlobChanged) as error:
            found, why = None, error.message
    if found is not None and len(found.answers) == len(golden.labels):
        return found
    # The new release is judged by its own gates then: a live model that cannot be had or run any more must not block it.
    why = why or (found.failure or "; ".join(found.faults) if found else "")
    world.log(f"warning: no comparison with the live release {live.id}: {why}")
    return None


def _numbers(judgement: Judgement, champion: Judgement | None) -> str:
    if judgement.accuracy is None:
        return "no accuracy"
    against = f", the live release has {champion.accuracy:.2%}" if champion and champion.accuracy is not None else ""
    memory = f"{judgement.memory_mb:.0f} MB" if judgement.memory_mb is not None else "memory not told by the app"
    return (
        f"accuracy {judgement.accuracy:.2%} on {len(judgement.answers)} golden samples{against}; "
        f"latency p50 {judgement.latency_p50_ms:.1f} ms, p99 {judgement.latency_p99_ms:.1f} ms; {memory}"
    )
