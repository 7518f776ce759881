import dataclasses

import pytest

from nocturne.domain.errors import Broken, LeaseTaken, NotFound
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import Traffic
from nocturne.steps.perform import perform
from nocturne.steps.roll_out import LEASE, start_roll_out
from nocturne.steps.settle import Verdict, settle
from tests.fakes.cluster import COMPLETE, FAILED, PROGRESSING
from tests.fakes.world import LABELS, FakeWorld
from tests.unit.steps.nights import PREPARING, night, roll, rollback, run_of


def two_nights(world: FakeWorld) -> tuple[str, str]:
    """Ids of a release that is live and of the next, which was not rolled out yet."""
    first = night(world, 1).release_id
    world.push()
    digests = world.ledger.release(str(first)).inputs
    inputs = dataclasses.replace(digests, code=world.code.resolve("HEAD"))
    return str(first), inputs.release_id


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
    world.production.traffic = lambda: next(counts)  # type: ignore[method-assign]
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
    settled = settle(world, run, second_id, Cause.NIGHT, ("roll_out",))
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
    world.ledger.lease("production", "nightly_release/other", LEASE)
    found = night(world)
    assert isinstance(found.error, LeaseTaken)
    assert "nightly_release/other" in str(found.error)
    assert world.production.applied == []
    assert world.ledger.leased("production").run_id == "nightly_release/other"


def test_rollback(world: FakeWorld) -> None:
    """A rollback puts the last verified release that is not live back, verified, and holds the nights after it."""
    first, _ = two_nights(world)
    night(world, 2)
    assert rollback(world, 1).verdict is Verdict.VERIFIED
    assert world.production.running() == first
    third = night(world, 3)
    assert third.outcomes["roll_out"].skipped
    assert "held by ada" in third.outcomes["roll_out"].message
    assert "it looks odd" in third.outcomes["roll_out"].message
    assert (third.verdict, world.production.running()) == (Verdict.UNCHANGED, first)
    world.ledger.resume("production", "ada")
    assert night(world, 4).verdict is Verdict.VERIFIED
    assert world.production.running() != first


def test_rollback_to_a_named_release(world: FakeWorld) -> None:
    """A rollback goes to the release that is named, however long ago it was live."""
    first = str(night(world, 1).release_id)
    for number in (2, 3):
        world.push()
        night(world, number)
    rollback(world, 1, to=first)
    assert world.production.running() == first


def test_rollback_with_nowhere_to_go(world: FakeWorld) -> None:
    """Without an earlier verified release a rollback is refused before it sets a hold."""
    night(world, 1)
    with pytest.raises(NotFound, match="no verified release to go back to"):
        rollback(world, 1)
    assert world.ledger.held("production") is None


def test_a_rollback_that_fails_puts_back_what_was_live(world: FakeWorld) -> None:
    """When the older release does not come up any more, what was live before the rollback is live again."""
    first, _ = two_nights(world)
    second = night(world, 2).release_id
    world.production.script(first, FAILED)
    assert rollback(world, 1).verdict is Verdict.REJECTED
    assert world.production.running() == second


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
