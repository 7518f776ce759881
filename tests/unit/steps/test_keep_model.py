import pytest

from nocturne.domain.errors import BadBlob, Broken, Rejected
from nocturne.domain.states import ReleaseState
from nocturne.steps import prepare as steps
from nocturne.steps.build_image import build_image
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.judge_model import judge_model
from nocturne.steps.keep_model import release_of
from nocturne.steps.prepare import prepare
from nocturne.steps.settle import Verdict
from tests.fakes.world import RELEASE_TOML, FakeWorld
from tests.unit.steps.nights import Night, night, run_of

NEW_CODE, NEW_MODEL = b"print('two')", b"weights 2"
FILES = {"model.onnx": NEW_MODEL, "model.json": b"{}"}
KEEPING = RELEASE_TOML.replace(b"min_accuracy", b'on_bad_model = "keep_current_model"\nmin_accuracy')


@pytest.fixture
def live(world: FakeWorld) -> Night:
    """A live release of an app that would rather keep the current model than stop."""
    world.push(release_toml=KEEPING)
    return night(world, 1)


def models_of(world: FakeWorld, found: Night) -> tuple[str, str]:
    """Of the frozen release, and of the one that runs."""
    running = world.production.running()
    ids = (str(found.release_id), str(running))
    frozen, shipped = (world.ledger.release(item).inputs.model.version for item in ids)
    return frozen, shipped


def new_code_and_bad_model(world: FakeWorld) -> None:
    world.push(main_py=NEW_CODE)
    world.models.add("v2", FILES)
    world.evaluates(0.25, model=NEW_MODEL)


def test_the_same_night_ships_the_new_code(world: FakeWorld, live: Night) -> None:
    """A model that is refused does not stop new code: it ships with the live model, and the verdict tells both."""
    new_code_and_bad_model(world)
    second = night(world, 2)
    assert second.verdict is Verdict.VERIFIED
    assert models_of(world, second) == ("v2", "v1")
    running = world.ledger.release(str(world.production.running()))
    assert running.inputs.code.commit == world.code.resolve("HEAD").commit
    assert second.settled.release_id == running.id
    assert f"{running.id} is live and verified in production" in second.settled.message
    assert f"keeps model v1: {second.release_id} with model v2 was refused: model v2 with code" in second.settled.message


def test_both_releases_tell_what_became_of_them(world: FakeWorld, live: Night) -> None:
    """The one is rejected with its reason, the other says that it keeps the model and why."""
    new_code_and_bad_model(world)
    second = night(world, 2)
    refused, shipped = (world.ledger.release(str(item)) for item in (second.release_id, world.production.running()))
    assert (refused.state, shipped.state) == (ReleaseState.REJECTED, ReleaseState.VERIFIED)
    assert "to blame is the model" in refused.reason
    assert shipped.reason.startswith("keeps model v1: ")
    assert {item.id for item in world.ledger.quarantined()} == {refused.id, world.models.freeze("v2").digest}


def test_the_kept_model_is_not_judged_twice(world: FakeWorld, live: Night) -> None:
    """Looking for the culprit has judged the pair that ships."""
    new_code_and_bad_model(world)
    second = night(world, 2)
    assert "judged good on" in second.outcomes["judge_model"].message
    assert sum("app.evaluate" in command for command in world.environment.commands) == 4


def test_a_corrupt_model_is_replaced_in_the_same_night(world: FakeWorld, live: Night) -> None:
    """A blob that is not what its manifest says is found while fetching: the current model takes its place there."""
    world.push(main_py=NEW_CODE)
    world.models.add("v2", FILES)
    world.models.overwrite("v2", "model.onnx", b"weights X")
    second = night(world, 2)
    assert (second.verdict, models_of(world, second)) == (Verdict.VERIFIED, ("v2", "v1"))
    assert [item.id for item in world.ledger.quarantined()] == ["digits/v2"]


def test_without_new_code_the_night_is_red_as_ever(world: FakeWorld, live: Night) -> None:
    """When nothing new is left to ship, a refused model ends the night, and the next one is calm."""
    world.models.add("v2", FILES)
    world.evaluates(0.25, model=NEW_MODEL)
    second = night(world, 2)
    assert (second.verdict, world.production.running()) == (Verdict.REJECTED, live.release_id)
    third = night(world, 3)
    assert (third.outcomes, third.error) == ({}, None)
    assert third.reasons[0].startswith("keeps model v1: v2 was rejected on ")
    assert third.reasons[1].startswith("nothing changed since")


def test_later_nights_keep_the_model_too(world: FakeWorld, live: Night) -> None:
    """New code that comes while the newest model is in quarantine ships with the live one, and the plan says so."""
    world.models.add("v2", FILES)
    world.evaluates(0.25, model=NEW_MODEL)
    night(world, 2)
    world.push(main_py=NEW_CODE)
    third = night(world, 3)
    assert (third.verdict, models_of(world, third)) == (Verdict.VERIFIED, ("v1", "v1"))
    assert third.reasons[0].startswith("keeps model v1: v2 was rejected on ")
    assert "keeps model v1: v2 was rejected on" in third.settled.message


def test_a_model_that_cannot_be_frozen(world: FakeWorld, live: Night) -> None:
    """A version with a missing blob is refused while freezing, and the new code ships with the live model."""
    world.push(main_py=NEW_CODE)
    world.models.add("v2", FILES)
    world.models.remove("v2", "model.onnx")
    second = night(world, 2)
    assert (second.verdict, models_of(world, second)) == (Verdict.VERIFIED, ("v1", "v1"))
    assert "the newest one is refused: v2/model.onnx: found nothing" in second.settled.message


def test_a_model_that_cannot_be_frozen_without_new_code(world: FakeWorld, live: Night) -> None:
    """That is a red night: nothing ships, and people must see the fault."""
    world.models.add("v2", FILES)
    world.models.remove("v2", "model.onnx")
    assert night(world, 2).failed == ("freeze_inputs",)


def test_bad_code_keeps_nothing(world: FakeWorld, live: Night) -> None:
    """Where the code is to blame, or both, no other model would help."""
    new_code_and_bad_model(world)
    world.evaluates(0.25, code=NEW_CODE)
    second = night(world, 2)
    assert (second.verdict, world.production.running()) == (Verdict.REJECTED, live.release_id)


def test_a_version_that_a_person_names_is_not_replaced(world: FakeWorld, live: Night) -> None:
    """Who asks for a model gets that one or nothing, in both places where another could take over."""
    new_code_and_bad_model(world)
    assert night(world, 2, wish=Wish(model_version="v2")).verdict is Verdict.REJECTED
    third = night(world, 3, wish=Wish(model_version="v2"))
    assert (third.outcomes, world.production.running()) == ({}, live.release_id)


def test_by_default_nothing_is_kept(world: FakeWorld) -> None:
    """An app that does not ask for it stops at a bad model."""
    first = night(world, 1)
    new_code_and_bad_model(world)
    assert night(world, 2).verdict is Verdict.REJECTED
    assert (night(world, 3).outcomes, world.production.running()) == ({}, first.release_id)


def test_a_dry_run_says_what_it_would_keep(world: FakeWorld, live: Night) -> None:
    """It records nothing."""
    new_code_and_bad_model(world)
    world.ledger.quarantine(world.models.freeze("v2").digest, "too slow", "nightly_release/0")
    before = len(world.ledger.releases())
    found = night(world, 2, wish=Wish(dry_run=True))
    assert found.reasons[0].endswith("UTC: too slow")
    assert len(world.ledger.releases()) == before


@pytest.mark.parametrize("killed", ["keep", "reject", "perform again"])
def test_killed_between_the_two_halves(world: FakeWorld, live: Night, monkeypatch: pytest.MonkeyPatch, killed: str) -> None:
    """Wherever the task is killed, its retry ends with the same release, and the model is refused once."""
    new_code_and_bad_model(world)
    frozen = freeze_inputs(world, run_of(2), Wish()).plan.release_id
    with monkeypatch.context() as patch:
        _kill(patch, world, killed)
        with pytest.raises(Broken, match="killed"):
            prepare(judge_model, world, run_of(2), frozen)
    assert "accuracy 100.00%" in prepare(judge_model, world, run_of(2), frozen).message
    shipped = release_of(world, run_of(2), frozen)
    assert (shipped.inputs.model.version, shipped.inputs.code.tree) == ("v1", world.code.resolve("HEAD").tree)
    assert shipped.reason.startswith("keeps model v1: ")
    assert world.ledger.release(frozen).state is ReleaseState.REJECTED
    assert {item.id for item in world.ledger.quarantined()} == {frozen, world.models.freeze("v2").digest}


def _kill(patch: pytest.MonkeyPatch, world: FakeWorld, where: str) -> None:
    def killed(*args, **kwargs):  # type: ignore[no-untyped-def]
        raise Broken("killed")

    if where == "keep":
        patch.setattr(steps, "keep", killed)
    elif where == "reject":
        patch.setattr(world.ledger, "quarantine", killed)
    else:
        original, calls = steps.perform, iter(range(9))

        def perform(*args):  # type: ignore[no-untyped-def]
            return original(*args) if next(calls) < 2 else killed()

        patch.setattr(steps, "perform", perform)


def test_a_live_model_that_was_refused_meanwhile_is_not_kept(world: FakeWorld, live: Night) -> None:
    """When it is in quarantine itself, the refusal of the new one stands."""
    new_code_and_bad_model(world)
    frozen = freeze_inputs(world, run_of(2), Wish()).plan.release_id
    world.ledger.quarantine("digits/v1", "damaged", "nightly_release/0")
    with pytest.raises(Rejected, match="model v2 with code"):
        prepare(judge_model, world, run_of(2), frozen)
    assert release_of(world, run_of(2), frozen).id == frozen


def test_steps_after_it_are_about_the_release_that_goes_on(world: FakeWorld, live: Night) -> None:
    """A step that is called with the frozen release's id, on any worker, works on the other one."""
    new_code_and_bad_model(world)
    frozen = freeze_inputs(world, run_of(2), Wish()).plan.release_id
    prepare(judge_model, world, run_of(2), frozen)
    assert "model v1" in prepare(fetch_model, world, run_of(2), frozen).message


def test_an_unsigned_live_model_is_not_kept_where_signatures_are_demanded_now(world: FakeWorld, live: Night) -> None:
    """What the environment demands of a model, it demands of the one that would be kept."""
    signers = b'signed_by = ["alice"]\n[signers]\nalice = "alice.pub"\n'
    world.push(release_toml=KEEPING + signers, alice_pub=b"alice")
    world.models.add("v2", FILES)
    second = night(world, 2)
    assert second.failed == ("freeze_inputs",)
    assert any("the current model cannot be kept: model digits/v1 is unsigned" in line for line in world.lines)


def test_a_kept_model_that_is_refused_by_the_new_rules_is_not_kept(
    world: FakeWorld, live: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When letting the live model in fails by the rules of the new code, the refusal of the new one stands."""
    new_code_and_bad_model(world)

    def refused(world, run, release):  # type: ignore[no-untyped-def]
        raise Rejected("too large", culprits=(release.inputs.model.digest,))

    monkeypatch.setattr(steps, "fetch_model", refused)
    second = night(world, 2)
    assert "model v2 with code" in str(second.error)
    assert (second.verdict, world.production.running()) == (Verdict.REJECTED, live.release_id)
    assert "model v1 cannot be kept: too large" in world.lines


def test_a_live_model_that_cannot_be_had_any_more_is_not_kept(world: FakeWorld, live: Night) -> None:
    """The refusal of the new one stands: trying again would not bring the live one's blobs back."""
    world.push(main_py=NEW_CODE)
    world.models.add("v2", FILES)
    world.models.overwrite("v2", "model.onnx", b"weights X")
    world.cache.clear()
    world.models.remove("v1", "model.onnx")
    second = night(world, 2)
    assert (second.verdict, second.failed) == (Verdict.REJECTED, ("fetch_model",))
    assert any("model v1 cannot be kept: v1/model.onnx is no longer" in line for line in world.lines)


def test_nothing_takes_its_place_once_it_was_judged(world: FakeWorld, live: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob that is found damaged by a worker that builds ends the night: nobody would judge the other release any more."""
    world.push(main_py=NEW_CODE)
    world.models.add("v2", FILES)
    frozen = freeze_inputs(world, run_of(2), Wish()).plan.release_id
    prepare(judge_model, world, run_of(2), frozen)

    def damaged(model, path, destination, progress):  # type: ignore[no-untyped-def]
        raise Rejected(f"{path} is damaged")

    world.cache.clear()
    monkeypatch.setattr(world.models, "fetch", damaged)
    with pytest.raises(BadBlob, match="is damaged"):
        prepare(build_image, world, run_of(2), frozen)
    assert release_of(world, run_of(2), frozen).id == frozen


def test_a_later_night_says_what_of_the_live_model_is_gone(world: FakeWorld, live: Night) -> None:
    """It is broken, not rejected: the new code and the live model are as good as they were."""
    world.models.add("v2", FILES)
    world.evaluates(0.25, model=NEW_MODEL)
    night(world, 2)
    world.push(main_py=NEW_CODE)
    world.cache.clear()
    world.models.remove("v1", "model.onnx")
    third = night(world, 3)
    assert (third.verdict, third.failed) == (Verdict.BROKEN, ("fetch_model",))
    assert "v1/model.onnx is no longer the blob that was frozen" in third.settled.message
    assert "keeps model v1: v2 was rejected" in third.settled.message


def test_a_change_by_hand_is_put_right_meanwhile(world: FakeWorld, live: Night) -> None:
    """Unlike a night that stops at a model in quarantine, one that keeps the live model looks at what runs."""
    world.models.add("v2", FILES)
    world.evaluates(0.25, model=NEW_MODEL)
    night(world, 2)
    world.production.drifted = ["Service digits is missing"]
    third = night(world, 3)
    assert third.reasons[1] == "changed by hand: Service digits is missing"
    assert third.settled.release_id == live.release_id
    assert third.verdict is Verdict.VERIFIED
