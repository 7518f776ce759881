from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.steps.freeze_inputs import Wish
from nocturne.steps.settle import Verdict
from tests.fakes.world import RELEASE_TOML, FakeWorld
from tests.unit.steps.nights import night

ALL = ["test_code", "fetch_model", "judge_model", "build_image", "try_image", "roll_out", "verify_release"]


def test_the_first_night_ships(world: FakeWorld) -> None:
    """The first night does every step and ends verified, with the release live and recorded."""
    first = night(world)
    assert (first.verdict, first.done) == (Verdict.VERIFIED, ALL)
    assert world.production.running() == first.release_id
    assert world.ledger.release(first.release_id).state is ReleaseState.VERIFIED
    assert [item.release_id for item in world.ledger.verified("production")] == [first.release_id]


def test_what_ships_is_what_was_tried(world: FakeWorld) -> None:
    """The image in production is, by digest, the one that was tried out."""
    night(world)
    assert world.production.applied[0].image == world.runner.started[0][0]
    assert "@sha256:" in world.production.applied[0].image


def test_nothing_changed(world: FakeWorld) -> None:
    """A second night with the same inputs stops after freezing, says why, and touches nothing."""
    first = night(world, 1)
    before = (world.models.fetched_bytes, len(world.builder.built), len(world.registry.appended), len(world.production.applied))
    second = night(world, 2)
    assert second.reasons[0].startswith(f"nothing changed since {first.release_id} was verified in production on")
    assert second.outcomes == {}
    after = (world.models.fetched_bytes, len(world.builder.built), len(world.registry.appended), len(world.production.applied))
    assert before == after


def test_a_commit_beside_the_app_changes_nothing(world: FakeWorld) -> None:
    """A commit whose app folder is the same is the same release."""
    night(world, 1)
    world.code.commit(world.code.commits[world.code.refs["HEAD"]], "Only the README")
    assert night(world, 2).outcomes == {}


def test_only_the_model_changed(world: FakeWorld) -> None:
    """A new model alone is not tested as code, and its layer is all that moves."""
    night(world, 1)
    world.models.add("v2", {"model.onnx": b"other weights", "model.json": b"{}"})
    second = night(world, 2)
    assert second.verdict is Verdict.VERIFIED
    assert second.outcomes["test_code"].skipped
    assert "tests passed for tree" in second.outcomes["test_code"].message
    assert len(world.builder.built) == 1
    assert len(world.registry.appended) == 2
    assert world.registry.appended[0].base == world.registry.appended[1].base


def test_only_the_code_changed(world: FakeWorld) -> None:
    """New code alone uploads no model layer: the same layer is there already."""
    night(world, 1)
    world.push()
    second = night(world, 2)
    assert second.verdict is Verdict.VERIFIED
    assert second.outcomes["fetch_model"].skipped
    first_layers, second_layers = (request.layers for request in world.registry.appended)
    assert [file.path for file in first_layers[0]] == [file.path for file in second_layers[0]]
    moved = next(line for line in world.lines[::-1] if line.startswith("model layer:"))
    assert "11 bytes were in the registry already" in moved


def test_failing_tests(world: FakeWorld) -> None:
    """A failing test stops the night as rejected, names the test in error and ledger, and production stays as it was."""
    night(world, 1)
    world.push()
    world.tests_fail("tests/test_score.py::test_answers")
    second = night(world, 2)
    assert second.verdict is Verdict.REJECTED
    assert "tests/test_score.py::test_answers" in str(second.error)
    assert "test_answers" in world.ledger.release(second.release_id).reason
    assert len(world.production.applied) == 1
    assert second.done == []


def test_rejected_code_is_not_tried_again(world: FakeWorld) -> None:
    """The next night with rejected code stops at once and says what was wrong, even with a new model."""
    night(world, 1)
    world.push()
    world.tests_fail("tests/test_score.py::test_answers")
    night(world, 2)
    world.models.add("v2", {"model.onnx": b"other weights", "model.json": b"{}"})
    third = night(world, 3)
    assert third.outcomes == {}
    assert third.error is None
    assert "test_answers" in third.reasons[0]


def test_a_lifted_quarantine_is_another_chance(world: FakeWorld) -> None:
    """What failed its tests and was let out of quarantine by hand is tested anew, and ships when it passes."""
    world.tests_fail("tests/test_score.py::test_flaky")
    night(world, 1)
    for held in world.ledger.quarantined():
        world.ledger.lift_quarantine(held.id)
    world.tests_fail()
    assert night(world, 2).verdict is Verdict.VERIFIED


def test_force_tries_again(world: FakeWorld) -> None:
    """A forced night ignores the quarantine, and a success lifts it."""
    world.tests_fail("tests/test_score.py::test_flaky")
    night(world, 1)
    world.tests_fail()
    forced = night(world, 2, force=True)
    assert forced.verdict is Verdict.VERIFIED
    assert world.ledger.quarantined() == []


def test_corrupt_model(world: FakeWorld) -> None:
    """A blob that is not what its manifest says is rejected, and the published version is in quarantine."""
    world.models.overwrite("v1", "model.onnx", b"weights X")
    first = night(world)
    assert (first.verdict, first.failed) == (Verdict.REJECTED, ("fetch_model",))
    assert [item.id for item in world.ledger.quarantined()] == ["digits/v1"]
    assert world.production.applied == []


def test_a_corrupt_model_published_again(world: FakeWorld) -> None:
    """The same model under a new version's name is released: its bytes were never to blame."""
    world.models.overwrite("v1", "model.onnx", b"weights X")
    night(world, 1)
    assert night(world, 2).outcomes == {}
    world.models.add("v1-again", {"model.onnx": b"weights 1", "model.json": b"{}"})
    assert night(world, 3).verdict is Verdict.VERIFIED


def test_incomplete_model(world: FakeWorld) -> None:
    """A missing blob is found while freezing: the run is red, and nothing was made."""
    world.models.remove("v1", "model.onnx")
    first = night(world)
    assert first.failed == ("freeze_inputs",)
    assert "model.onnx: found nothing" in str(first.error)
    assert world.ledger.releases() == []


def test_model_that_breaks_the_contract(world: FakeWorld) -> None:
    """A model of another contract is rejected with every fault."""
    world.evaluates(1.0, faults=("input is float32[1,3], expected float32[1,1,8,8]",))
    first = night(world)
    assert (first.verdict, first.failed) == (Verdict.REJECTED, ("judge_model",))
    assert "expected float32[1,1,8,8]" in str(first.error)


def test_model_below_the_floor(world: FakeWorld) -> None:
    """A model below the floor is rejected with both numbers, and its digest is in quarantine."""
    world.evaluates(0.25)
    first = night(world)
    assert "accuracy is 25.00%, expected at least 50.00%" in str(first.error)
    assert len(world.ledger.quarantined(world.models.freeze(None).digest)) == 1


def test_model_worse_than_the_live_one(world: FakeWorld) -> None:
    """A model that passes the floor but is worse than the live one, by more than is allowed and than chance, is rejected."""
    world.push(release_toml=RELEASE_TOML.replace(b"min_accuracy", b"significance = 0.25\nmin_accuracy"))
    night(world, 1)
    world.models.add("v2", {"model.onnx": b"other weights", "model.json": b"{}"})
    world.evaluates(0.5)
    second = night(world, 2)
    assert second.verdict is Verdict.REJECTED
    assert "accuracy is 50.00% below the live release's, expected at most 1.00% below it" in str(second.error)


def test_bad_code_does_not_condemn_a_proven_model(world: FakeWorld) -> None:
    """When new code answers badly with a model that served well before, the pair is refused and not the model."""
    night(world, 1)
    world.push()
    world.evaluates(0.25)
    night(world, 2)
    assert world.ledger.quarantined(world.models.freeze(None).digest) == []


def test_latest_moves_under_a_run(world: FakeWorld) -> None:
    """What is published while a run is under way belongs to the next one."""
    first_digest = world.models.freeze(None).digest
    original = world.environment.run

    def publish_meanwhile(*args, **kwargs):  # type: ignore[no-untyped-def]
        if world.models.latest == "v1":
            world.models.add("v2", {"model.onnx": b"other weights", "model.json": b"{}"})
        return original(*args, **kwargs)

    world.environment.run = publish_meanwhile  # type: ignore[method-assign]
    first = night(world)
    assert first.verdict is Verdict.VERIFIED
    assert world.ledger.release(first.release_id).inputs.model.digest == first_digest


def test_a_blob_is_overwritten_under_a_run(world: FakeWorld) -> None:
    """The run ends broken and says which blob changed; nothing is in quarantine, and the next night freezes what is there."""
    tests = world.environment.run

    def overwrite_meanwhile(*args, **kwargs):  # type: ignore[no-untyped-def]
        world.models.overwrite("v1", "model.onnx", b"weights X")
        return tests(*args, **kwargs)

    world.environment.run = overwrite_meanwhile  # type: ignore[method-assign]
    first = night(world)
    assert (first.verdict, first.failed) == (Verdict.BROKEN, ("fetch_model",))
    assert "v1/model.onnx is no longer the blob that was frozen" in first.settled.message
    assert "the next run tries again" in first.settled.message
    assert world.ledger.quarantined() == []


def test_dry_run(world: FakeWorld) -> None:
    """A dry run says what would happen and why, and records nothing."""
    dry = night(world, wish=Wish(dry_run=True))
    assert dry.reasons == ("production has no verified release yet",)
    assert world.ledger.releases() == []
    assert world.production.applied == []


def test_wishes(world: FakeWorld) -> None:
    """A run can be asked for another commit and another model than the newest."""
    old = world.code.resolve("HEAD")
    world.push()
    world.models.add("v2", {"model.onnx": b"other weights", "model.json": b"{}"})
    found = night(world, wish=Wish(commit=old.commit, model_version="v1"))
    inputs = world.ledger.release(found.release_id).inputs
    assert (inputs.code.commit, inputs.model.version) == (old.commit, "v1")


def test_wrong_configuration_at_the_commit(world: FakeWorld) -> None:
    """A release.toml that is wrong at the frozen commit is rejected with every fault, naming the commit."""
    world.push(release_toml=b"name = 3\n[night]\ncron = 'x'\n")
    found = night(world)
    assert found.failed == ("freeze_inputs",)
    assert "name: found a number 3" in str(found.error)
    assert "judge.golden: missing" in str(found.error)


def test_refused_manifests(world: FakeWorld) -> None:
    """Manifests that the cluster would refuse are found before anything is built."""
    world.production.faults = ["services.web.image: found nothing"]
    found = night(world)
    assert found.failed == ("freeze_inputs",)
    assert world.builder.built == []


def test_drift_is_put_right(world: FakeWorld) -> None:
    """When production does not run what the ledger says, the night deploys it again without making it again."""
    first = night(world, 1)
    world.production.desired = None
    second = night(world, 2)
    assert second.verdict is Verdict.VERIFIED
    assert second.done == ["roll_out", "verify_release"]
    assert world.production.running() == first.release_id


def test_deployments_tell_one_story(world: FakeWorld) -> None:
    """A deployment's events are its states in order."""
    first = night(world)
    deployment = world.ledger.find_deployment("nightly_release/1", "production", Cause.NIGHT)
    assert deployment is not None
    assert deployment.release_id == first.release_id
    states = [state for _, state, _ in world.ledger.events(deployment.id)]
    assert states == [DeploymentState.PLANNED, DeploymentState.ROLLING_OUT, DeploymentState.VERIFYING, DeploymentState.VERIFIED]
