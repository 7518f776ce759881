import dataclasses

import pytest

from nocturne.domain.errors import Broken, LeaseTaken, Rejected
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import Stage, Traffic
from nocturne.steps.end_stage import end_stage
from nocturne.steps.perform import perform
from nocturne.steps.roll_out import Started, start_roll_out, take_lease
from nocturne.steps.settle import FailedStep, Verdict, settle
from nocturne.steps.verify_release import verify_release
from tests.fakes.cluster import COMPLETE, FAILED, PROGRESSING
from tests.fakes.world import LABELS, FakeWorld
from tests.unit.steps.nights import PREPARING, night, roll, run_of, two_nights


def test_a_failed_rollout_puts_the_previous_release_back(world: FakeWorld) -> None:
    """When the new release never gets ready, the last verified one is back and verified, and the new one is rejected."""
    first, second_id = two_nights(world)
    world.production.script(second_id, PROGRESSING, FAILED)
    second = night(world, 2)
    assert second.verdict is Verdict.REJECTED
    assert f"{first} is back in production and verified" in second.settled.message
    assert world.production.running() == first
    causes = [(item.release_id, item.cause, item.state) for item in world.ledger.deployments("production")]
    assert causes[:2] == [
        (first, Cause.RESTORE, DeploymentState.VERIFIED),
        (second_id, Cause.NIGHT, DeploymentState.REJECTED),
    ]
    assert world.ledger.leased("production") is None


def test_wrong_answers_in_production_put_the_previous_release_back(world: FakeWorld) -> None:
    """A release that answers otherwise in production than when it was judged is taken back."""
    first, second_id = two_nights(world)
    world.answers_in_production[second_id] = ("9",) * len(LABELS)
    second = night(world, 2)
    assert (second.verdict, second.failed) == (Verdict.REJECTED, ("verify_release",))
    assert "4 of 4 answers that differ" in str(second.error)
    assert world.production.running() == first


def test_failing_users_put_the_previous_release_back(world: FakeWorld) -> None:
    """A release under which users' requests fail is taken back, though its own probes are answered rightly."""
    first, _ = two_nights(world)
    counts = iter([Traffic(100, 0), Traffic(200, 3), Traffic(200, 3), Traffic(300, 3)])
    world.production.traffic = lambda: {"front door": next(counts)}  # type: ignore[method-assign]
    second = night(world, 2)
    assert "3 of 100 requests at the front door failed" in str(second.error)
    assert world.production.running() == first


def test_the_first_release_that_fails_is_taken_away(world: FakeWorld) -> None:
    """Without a release to go back to, production is empty again."""
    world.production.script(world_release_id(world), FAILED)
    assert night(world).verdict is Verdict.REJECTED
    assert world.production.running() is None


def world_release_id(world: FakeWorld) -> str:
    from nocturne.steps.freeze_inputs import Wish, freeze_inputs

    return freeze_inputs(world, run_of(0), Wish(dry_run=True)).plan.release_id


def test_a_rollout_that_never_ends(world: FakeWorld) -> None:
    """A rollout that is not complete at its deadline is rejected."""
    environment = world.configuration.environments["production"]
    short = environment.rollout_timeout_seconds
    world.push(release_toml=world.code.commits[world.code.refs["HEAD"]]["release.toml"] + b"rollout_timeout_seconds = 1\n")
    world.production.script(world_release_id(world), PROGRESSING)
    found = night(world)
    assert short > 1
    assert "not complete after 1 s" in str(found.error)


def test_a_previous_release_that_cannot_come_back_is_broken(world: FakeWorld) -> None:
    """Settling raises Broken, keeps the lease, and a second try ends the restoration."""
    first, second_id = two_nights(world)
    world.production.script(second_id, FAILED)
    world.production.script(first, FAILED)
    run = run_of(2)
    with pytest.raises(Broken, match="could not be put back"):
        night(world, 2)
    assert world.ledger.leased("production").run_id == run.id
    world.production.script(first, PROGRESSING, COMPLETE)
    settled = settle(world, run, second_id, Cause.NIGHT, (FailedStep("roll_out", "Rejected", "never ready"),))
    assert settled.verdict is Verdict.REJECTED
    assert world.production.running() == first
    assert world.ledger.leased("production") is None


def test_something_broken_is_no_rejection(world: FakeWorld) -> None:
    """A registry that is down makes the run broken; nothing goes into quarantine, and the next night does the rest."""
    world.registry.fail_next("append", Broken("the registry is down"))
    first = night(world, 1)
    assert (first.verdict, first.failed) == (Verdict.BROKEN, ("build_image",))
    assert world.ledger.quarantined() == []
    second = night(world, 2)
    assert second.verdict is Verdict.VERIFIED
    assert second.outcomes["test_code"].skipped
    assert len(world.builder.built) == 1


def test_a_step_that_was_killed_after_pushing(world: FakeWorld) -> None:
    """A code image that was pushed but not recorded is found by its tag and not built again."""
    release = _opened(world)
    failing = iter([Broken("killed here")])
    original = world.ledger.evidence

    def evidence(item):  # type: ignore[no-untyped-def]
        if item.subject == "code image" and (error := next(failing, None)):
            raise error
        original(item)

    world.ledger.evidence = evidence  # type: ignore[method-assign]
    with pytest.raises(Broken):
        perform(PREPARING["build_image"], world, run_of(1), release)
    assert not perform(PREPARING["build_image"], world, run_of(1), release).skipped
    assert len(world.builder.built) == 1


def test_a_tag_that_lies_is_not_believed(world: FakeWorld) -> None:
    """A code image under the right tag that does not say that it was made from this code is built anew."""
    release = _opened(world)
    inputs = world.ledger.release(release).inputs
    world.registry.add(f"digits:code-{inputs.code.tree[:12]}-{inputs.base_digest[7:19]}", {"io.nocturne.code.tree": "another"})
    perform(PREPARING["build_image"], world, run_of(1), release)
    assert len(world.builder.built) == 1


def test_a_rollout_that_was_killed_resumes(world: FakeWorld) -> None:
    """Starting a rollout twice in one run asks the cluster once and keeps one deployment."""
    release = _opened(world)
    for call in PREPARING.values():
        perform(call, world, run_of(1), release)
    found = world.ledger.release(release)
    start_roll_out(world, run_of(1), found, Cause.NIGHT)
    start_roll_out(world, run_of(1), found, Cause.NIGHT)
    assert len(world.production.applied) == 1
    assert len(world.ledger.deployments("production")) == 1


def test_an_empty_disk_between_steps(world: FakeWorld) -> None:
    """Every step may run on a worker that has nothing: what it needs is fetched again."""
    release = _opened(world)
    for call in PREPARING.values():
        perform(call, world, run_of(1), release)
        world.cache.clear()
    assert world.ledger.release(release).image


def _opened(world: FakeWorld) -> str:
    from nocturne.steps.freeze_inputs import Wish, freeze_inputs

    return freeze_inputs(world, run_of(1), Wish()).plan.release_id


def test_one_deployment_at_a_time(world: FakeWorld) -> None:
    """A run that finds the lease taken changes nothing and says who has it."""
    take_lease(world, dataclasses.replace(run_of(1), id="nightly_release/other"))
    found = night(world)
    assert isinstance(found.error, LeaseTaken)
    assert "nightly_release/other" in str(found.error)
    assert world.production.applied == []
    assert world.ledger.leased("production").run_id == "nightly_release/other"


def test_rolling_is_complete_only_after_the_last_look(world: FakeWorld) -> None:
    """The cluster is broken while it is watched: the run says broken, and a retry of the step ends it."""
    release = _opened(world)
    for call in PREPARING.values():
        perform(call, world, run_of(1), release)
    world.production.script(release, Broken("the engine is away"), PROGRESSING, COMPLETE)
    with pytest.raises(Broken):
        perform(lambda *args: roll(*args, Cause.NIGHT), world, run_of(1), release)
    assert "rolled out" in perform(lambda *args: roll(*args, Cause.NIGHT), world, run_of(1), release).message
    assert len(world.production.applied) == 1


def test_each_try_to_put_a_release_back_is_a_new_one(world: FakeWorld) -> None:
    """A restoration that failed is asked for again under another name: a cluster that took it back once must not refuse it."""
    first, second_id = two_nights(world)
    world.production.script(second_id, FAILED)
    world.production.script(first, FAILED)
    with pytest.raises(Broken):
        night(world, 2)
    world.production.script(first, COMPLETE)
    settle(world, run_of(2), second_id, Cause.NIGHT, ())
    tries = [desired.annotations["run"] for desired in world.production.applied if desired.release_id == first]
    assert tries[1:] == ["nightly_release/2", "nightly_release/2 (try 2)"]


def test_an_app_that_this_ledger_does_not_know_is_left_alone(world: FakeWorld) -> None:
    """When Swarm has put back something that this ledger never verified, settling does not take it away."""
    release = world_release_id(world)
    world.production.script(release, FAILED)
    world.production.running = lambda: "r-of-another-ledger"  # type: ignore[method-assign]
    first = night(world)
    assert "(r-of-another-ledger) was left alone" in first.settled.message
    assert world.production.calls["withdraw"] == 0


def test_a_forced_rebuild_that_fails_its_trial_replaces_nothing(world: FakeWorld) -> None:
    """A release that is live keeps its image until another one was tried."""
    first = str(night(world, 1).release_id)
    image = world.ledger.release(first).image
    world.registry.lose(image.removeprefix(f"{world.registry.host}/"))
    world.runner.exit_code = 1
    forced = night(world, 2, force=True)
    assert forced.failed == ("try_image",)
    assert world.ledger.release(first).image == image


def test_a_cluster_that_cannot_be_seen_is_no_rejection(world: FakeWorld) -> None:
    """An outage that lasts until the deadline is broken, and the release is not in quarantine."""
    unseen = dataclasses.replace(PROGRESSING, seen=False, message="the cluster does not answer")
    world.production.script(world_release_id(world), PROGRESSING, unseen)
    release = _opened(world)
    for call in PREPARING.values():
        perform(call, world, run_of(1), release)
    started = start_roll_out(world, run_of(1), world.ledger.release(release), Cause.NIGHT)
    assert isinstance(started, Started)
    with pytest.raises(Broken, match="the cluster does not answer"):
        end_stage(world, run_of(1), world.ledger.release(release), Cause.NIGHT, Stage.WHOLE, unseen)
    assert world.ledger.quarantined() == []


def test_an_image_that_ends_when_it_is_asked_is_rejected(world: FakeWorld) -> None:
    """A container that is gone in the middle of its trial is the release's fault, not the machinery's."""
    release = _opened(world)
    for name in ("test_code", "judge_model", "build_image"):
        perform(PREPARING[name], world, run_of(1), release)

    def end(body: object) -> tuple[int, object]:
        world.runner.exit_code = 139
        raise Broken("nothing answers")

    world.clients.serve(world.runner.url, {"GET /readyz": lambda body: (200, ""), "GET /version": end})
    with pytest.raises(Rejected, match="ended while it was asked"):
        perform(PREPARING["try_image"], world, run_of(1), release)


def test_verifying_was_killed_after_it_had_rejected(world: FakeWorld) -> None:
    """The retry says again what was found, even if the app would answer rightly by now."""
    first, second_id = two_nights(world)
    world.answers_in_production[second_id] = ("9",) * len(LABELS)
    night(world, 2)
    world.answers_in_production.clear()
    with pytest.raises(Rejected, match="4 of 4 answers that differ"):
        perform(lambda *args: verify_release(*args, Cause.NIGHT), world, run_of(2), second_id)
    assert first


def test_a_hold_that_is_set_while_a_night_waits_for_the_lease(world: FakeWorld) -> None:
    """The hold counts when the lease is taken, and the lease is given back."""
    two_nights(world)
    world.ledger.hold("production", "ada", "it looks odd")
    second = night(world, 2)
    assert second.outcomes["roll_out"].skipped
    assert "held by ada" in second.settled.message
    assert world.ledger.leased("production") is None


def test_a_run_that_is_cleared_puts_its_release_right_again(world: FakeWorld) -> None:
    """When an operator clears the tasks of a run whose release was replaced since, it is deployed once more."""
    first, _ = two_nights(world)
    night(world, 2)
    perform(lambda *args: roll(*args, Cause.NIGHT), world, run_of(1), first)
    perform(lambda *args: verify_release(*args, Cause.NIGHT), world, run_of(1), first)
    assert world.production.running() == first
    assert world.ledger.verified("production")[0].release_id == first
