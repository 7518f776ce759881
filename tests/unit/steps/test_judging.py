import json

import pytest

from nocturne.domain.errors import Broken, Rejected, Unclear
from nocturne.domain.records import Evidence, Subject
from nocturne.ports.app_environment import Finished
from nocturne.steps.evaluate import judgement_key
from nocturne.steps.freeze_inputs import Wish
from nocturne.steps.judge_model import judge_model
from nocturne.steps.settle import Verdict
from tests.fakes.world import RELEASE_TOML, FakeWorld
from tests.unit.steps.nights import Night, night, rollback, run_of

OLD_CODE, NEW_CODE = b"print('one')", b"print('two')"
OLD_MODEL, NEW_MODEL = b"weights 1", b"weights 2"


def gates(world: FakeWorld, keys: str) -> None:
    """A commit with these keys in [judge]."""
    world.push(release_toml=RELEASE_TOML.replace(b"min_accuracy", f"{keys}\nmin_accuracy".encode()))


def publish(world: FakeWorld, model: bytes = NEW_MODEL) -> None:
    world.models.add("v2", {"model.onnx": model, "model.json": b"{}"})


def evaluations(world: FakeWorld) -> int:
    return sum("app.evaluate" in command for command in world.environment.commands)


def both_new(world: FakeWorld) -> None:
    """A live release, and then new code and a new model."""
    night(world, 1)
    world.push(main_py=NEW_CODE)
    publish(world)


def details(world: FakeWorld, found: Night) -> dict[str, object]:
    known = world.ledger.recall(Subject.JUDGEMENT, judgement_key(world.ledger.release(str(found.release_id)).inputs))
    assert known is not None
    return known.details


def quarantined(world: FakeWorld) -> set[str]:
    return {item.id for item in world.ledger.quarantined()}


def test_unclear_stops_the_night_and_blames_nobody(world: FakeWorld) -> None:
    """A drop that may be chance neither ships nor goes into quarantine, and the message says what it would take."""
    first = night(world, 1)
    publish(world)
    world.evaluates(0.75, model=NEW_MODEL)
    second = night(world, 2)
    assert isinstance(second.error, Unclear)
    assert (second.verdict, second.failed) == (Verdict.INCONCLUSIVE, ("judge_model",))
    assert "of 4 samples 1 are right only in the live release" in second.settled.message
    assert "about 19 samples" in second.settled.message
    assert "the next run tries again" not in second.settled.message
    assert (world.ledger.quarantined(), world.production.running()) == ([], first.release_id)


def test_unclear_is_told_from_memory(world: FakeWorld) -> None:
    """The next night says the same without evaluating, until something is another."""
    night(world, 1)
    publish(world)
    world.evaluates(0.75, model=NEW_MODEL)
    night(world, 2)
    before = evaluations(world)
    third = night(world, 3)
    assert third.verdict is Verdict.INCONCLUSIVE
    assert "run nightly_release/2" in str(third.error)
    assert evaluations(world) == before


def test_unclear_is_judged_anew_beside_another_live_release(world: FakeWorld) -> None:
    """What was compared with a release that is no longer live is compared again."""
    night(world, 1)
    publish(world)
    world.evaluates(0.75, model=NEW_MODEL)
    night(world, 2)
    world.models.add("v3", {"model.onnx": b"weights 3", "model.json": b"{}"})
    assert night(world, 3).verdict is Verdict.VERIFIED
    before = evaluations(world)
    assert night(world, 4, wish=Wish(model_version="v2")).verdict is Verdict.INCONCLUSIVE
    assert evaluations(world) == before + 1


def test_unclear_may_ship(world: FakeWorld) -> None:
    """Where the app says so it goes on, and says that it was unclear, also when it is remembered."""
    gates(world, 'on_unclear = "ship"')
    night(world, 1)
    publish(world)
    world.evaluates(0.75, model=NEW_MODEL)
    second = night(world, 2)
    assert second.verdict is Verdict.VERIFIED
    assert "unclear, and goes on all the same" in second.outcomes["judge_model"].message
    assert details(world, second)["verdict"] == "unclear"
    again = judge_model(world, run_of(3), world.ledger.release(str(second.release_id)))
    assert again.skipped
    assert again.message.startswith("judged unclear on")


def test_changed_answers_are_told(world: FakeWorld) -> None:
    """Log and evidence name what users would get otherwise than now."""
    night(world, 1)
    publish(world)
    world.evaluates(0.75, model=NEW_MODEL)
    second = night(world, 2)
    assert "1 answers are others than the live release's" in world.lines
    assert details(world, second)["changed"] == {
        "count": 1,
        "examples": [{"sample": "3", "known": "4", "live": "4", "new": "?"}],
    }


def test_a_judgement_of_an_earlier_version_is_relied_on(world: FakeWorld) -> None:
    """A row that was recorded before there were verdicts still skips the evaluation."""
    first = night(world, 1)
    inputs = world.ledger.release(str(first.release_id)).inputs
    old = {"faults": [], "accuracy": 1.0, "answers": ["1"], "latency_p50_ms": 1, "latency_p99_ms": 2, "golden": "sha256:0"}
    record = Evidence(Subject.JUDGEMENT, judgement_key(inputs), True, "old", "2026-01-01", {"judgement": old, "objections": []})
    world.ledger.evidence(record)
    outcome = judge_model(world, run_of(2), world.ledger.release(str(first.release_id)))
    assert outcome.skipped
    assert "accuracy 100.00%" in outcome.message


@pytest.mark.parametrize(
    ("finished", "told"),
    [
        (Finished(-9, "", ""), "it ran out of memory (exit code -9); judge.max_memory_mb allows 4000 MB"),
        (Finished(1, "", "Traceback\nMemoryError"), "it ran out of memory (exit code 1)"),
        (Finished(1, "", "ImportError: flask"), "exit code 1\n    ImportError: flask"),
        (Finished(None, "", ""), "no end after 600 s"),
        (Finished(0, "[]", ""), "printed no judgement"),
        (Finished(0, "[" * 100_000, ""), "printed no judgement (RecursionError"),
        (Finished(0, f'{{"faults": [], "accuracy": 1{"0" * 400}, "answers": []}}', ""), "printed no judgement (OverflowError"),
        (Finished(0, '{"faults": [], "accuracy": 1.0, "answers": ["1"]}', ""), "it answered 1 samples, expected 4"),
        (Finished(0, '{"faults": [], "accuracy": 1.0, "answers": ["1", "2", "?", "?"]}', ""), "but 50.00% of its answers"),
    ],
)
def test_an_evaluation_that_fails_is_refused(world: FakeWorld, finished: Finished, told: str) -> None:
    """Whatever ends it, the release is refused with that reason."""
    world.environment.script("app.evaluate", finished)
    found = night(world)
    assert isinstance(found.error, Rejected)
    assert told in found.error.message


def test_an_evaluation_is_limited(world: FakeWorld) -> None:
    """It may allocate somewhat more than the gate allows it to have in memory; the app's tests are not limited."""
    gates(world, "max_memory_mb = 300")
    night(world)
    assert world.environment.memory_limits == [None, 1_100_000_000]


def test_a_golden_set_that_is_none_blames_the_code(world: FakeWorld) -> None:
    """The golden set belongs to the code: the model is not in quarantine for it."""
    world.push(golden_json=b"[]")
    tree = world.code.resolve("HEAD").tree
    found = night(world)
    assert quarantined(world) == {str(found.release_id), tree}


def test_to_blame_is_the_model(world: FakeWorld) -> None:
    """A model that is refused with the live code too, while the new code is good with the live model, is named."""
    both_new(world)
    world.evaluates(0.25, model=NEW_MODEL)
    second = night(world, 2)
    assert quarantined(world) == {second.release_id, world.models.freeze("v2").digest}
    assert "to blame is the model: model v2 with the live code" in second.settled.message
    assert "is refused too (accuracy is 25.00%, expected at least 50.00%)" in second.settled.message
    assert "with the live model v1 is good" in second.settled.message


def test_to_blame_is_the_code(world: FakeWorld) -> None:
    """New code that is refused with the live model too is named; the new model may ship with other code."""
    both_new(world)
    world.evaluates(0.25, code=NEW_CODE)
    second = night(world, 2)
    assert quarantined(world) == {second.release_id, world.code.resolve("HEAD").tree}
    assert "to blame is the code" in second.settled.message
    assert "correct the app" in second.error.advice
    world.push(main_py=b"print('three')")
    assert night(world, 3).verdict is Verdict.VERIFIED


def test_to_blame_are_both(world: FakeWorld) -> None:
    """Each half is bad with the good half of the live release: both are refused."""
    both_new(world)
    world.evaluates(0.25, code=NEW_CODE)
    world.evaluates(0.25, model=NEW_MODEL)
    second = night(world, 2)
    tree, digest = world.code.resolve("HEAD").tree, world.models.freeze("v2").digest
    assert quarantined(world) == {second.release_id, tree, digest}


def test_a_slow_worker_blames_nobody(world: FakeWorld) -> None:
    """Where even the live release misses the gates now, the release is refused, and neither code nor model goes into quarantine."""
    both_new(world)
    world.evaluates(1.0, latency=5000)
    second = night(world, 2)
    assert quarantined(world) == {second.release_id}
    assert "perhaps neither is to blame: here the live release itself is refused now (latency" in second.settled.message


def test_refused_only_together(world: FakeWorld) -> None:
    """Halves that are good with the live release's other halves are not to blame: the release alone is refused."""
    both_new(world)
    world.evaluates(0.25, code=NEW_CODE, model=NEW_MODEL)
    second = night(world, 2)
    assert quarantined(world) == {second.release_id}
    assert "only together they are refused" in second.settled.message


def test_the_half_that_is_new_is_to_blame(world: FakeWorld) -> None:
    """With the live model, new code that is refused is the culprit, without trying anything else."""
    night(world, 1)
    world.push(main_py=NEW_CODE)
    world.evaluates(0.25)
    second = night(world, 2)
    assert quarantined(world) == {second.release_id, world.code.resolve("HEAD").tree}
    assert evaluations(world) == 2


def test_halves_are_judged_by_their_own_code(world: FakeWorld) -> None:
    """Gates that only the new code has do not make the live code's half bad."""
    night(world, 1)
    world.push(main_py=NEW_CODE, release_toml=RELEASE_TOML.replace(b"min_accuracy = 0.5", b"min_accuracy = 0.9"))
    publish(world)
    world.evaluates(0.75, model=NEW_MODEL)
    world.evaluates(0.75, code=NEW_CODE)
    assert "to blame is the code" in night(world, 2).settled.message


def test_halves_are_remembered(world: FakeWorld) -> None:
    """A half that was judged good while looking for the culprit is not evaluated again when it comes alone."""
    both_new(world)
    world.evaluates(0.25, model=NEW_MODEL)
    night(world, 2)
    before = evaluations(world)
    found = night(world, 3, wish=Wish(model_version="v1"))
    assert (found.verdict, evaluations(world)) == (Verdict.VERIFIED, before)


def test_a_culprit_that_cannot_be_found_does_not_hide_the_rejection(world: FakeWorld) -> None:
    """When the live code's environment cannot be made, the pair is refused all the same, and says so."""
    both_new(world)
    world.evaluates(0.25, model=NEW_MODEL)
    original = world.environment.run

    def run(app, command, **limits):  # type: ignore[no-untyped-def]
        if "app.evaluate" in command and (app / "main.py").read_bytes() == OLD_CODE:
            raise Broken("the package index is out of reach")
        return original(app, command, **limits)

    world.environment.run = run  # type: ignore[method-assign]
    second = night(world, 2)
    assert second.verdict is Verdict.REJECTED
    assert "accuracy is 25.00%" in second.settled.message
    assert "which half is to blame could not be found out: the package index is out of reach" in second.settled.message
    assert quarantined(world) == {second.release_id}


def test_a_killed_step_does_not_look_for_the_culprit_twice(world: FakeWorld) -> None:
    """A retry in the same run refuses for the same reason, from memory."""
    both_new(world)
    world.evaluates(0.25, model=NEW_MODEL)
    second = night(world, 2)
    before = evaluations(world)
    with pytest.raises(Rejected) as again:
        judge_model(world, run_of(2), world.ledger.release(str(second.release_id)))
    assert (again.value.message, again.value.culprits) == (second.error.message, second.error.culprits)
    assert evaluations(world) == before


def test_a_lifted_quarantine_is_judged_anew(world: FakeWorld) -> None:
    """Who lifts it wants the pair tried again: the refusal of another run is not relied on."""
    world.evaluates(0.25)
    night(world, 1)
    for item in world.ledger.quarantined():
        world.ledger.lift_quarantine(item.id)
    world.evaluates(1.0)
    assert night(world, 2).verdict is Verdict.VERIFIED


def test_what_is_remembered_is_json(world: FakeWorld) -> None:
    """The numbers of the comparison and of each label are there for whoever reads the ledger."""
    night(world, 1)
    publish(world)
    world.evaluates(0.75, model=NEW_MODEL, memory_mb=321)
    known = json.loads(json.dumps(details(world, night(world, 2))))
    assert known["contest"] == {"lost": 1, "won": 0, "samples": 4, "drop": 0.25, "p": 0.5}
    assert known["judgement"]["recall"]["4"] == {"samples": 1, "right": 0}
    assert known["judgement"]["memory_mb"] == 321


def test_a_model_that_served_well_is_named_but_not_condemned(world: FakeWorld) -> None:
    """Going back to it with newer code, and being refused, puts only that pair into quarantine."""
    night(world, 1)
    publish(world)
    world.push(main_py=NEW_CODE)
    night(world, 2)
    world.evaluates(0.25, model=OLD_MODEL)
    third = night(world, 3, wish=Wish(model_version="v1"))
    assert quarantined(world) == {third.release_id}
    assert "to blame is the model" in third.settled.message
    assert "it served well in another release, so it is not put into quarantine" in third.settled.message


def test_an_evaluation_that_fails_takes_no_answers_back(world: FakeWorld) -> None:
    """When the live pair is judged again and that fails, the release can still be rolled back to, and compared with."""
    first = night(world, 1)
    world.environment.judge(None, None, Finished(None, "", ""))
    assert night(world, 2, force=True).verdict is Verdict.REJECTED
    world.evaluates(1.0)
    world.push(main_py=NEW_CODE)
    world.evaluates(0.75, code=NEW_CODE)
    assert isinstance(night(world, 3).error, Unclear)
    world.evaluates(1.0, code=NEW_CODE)
    assert night(world, 4, force=True).verdict is Verdict.VERIFIED
    assert rollback(world, 5, to=first.release_id).verdict is Verdict.VERIFIED
