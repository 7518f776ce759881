"""A whole night over fakes: the steps in the order in which the DAG calls them."""

import dataclasses
from dataclasses import dataclass, field

from nocturne.domain.errors import NocturneError
from nocturne.domain.records import Cause, Release
from nocturne.steps import build_image, fetch_model, judge_model, test_code, try_image
from nocturne.steps.choose_release import choose_release
from nocturne.steps.end_stage import roll_out_and_wait
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.perform import perform
from nocturne.steps.prepare import prepare
from nocturne.steps.settle import FailedStep, Settlement, Verdict, settle
from nocturne.steps.verify_release import verify_release
from nocturne.steps.world import Outcome, Run, World
from tests.fakes.world import FakeWorld

PREPARING = {
    "test_code": test_code.test_code,
    "fetch_model": fetch_model.fetch_model,
    "judge_model": judge_model.judge_model,
    "build_image": build_image.build_image,
    "try_image": try_image.try_image,
}


@dataclass
class Night:
    """What a night left. outcomes: of each step that ended well. error: of the one that did not."""

    release_id: str | None = None
    reasons: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    error: NocturneError | None = None
    settled: Settlement | None = None

    @property
    def done(self) -> list[str]:
        """The steps that had something to do."""
        return [name for name, outcome in self.outcomes.items() if not outcome.skipped]

    @property
    def verdict(self) -> Verdict | None:
        return self.settled.verdict if self.settled else None


def run_of(number: int, force: bool = False) -> Run:
    return Run(f"nightly_release/{number}", "production", "schedule", force)


def night(world: FakeWorld, number: int = 1, wish: Wish = Wish(), force: bool = False) -> Night:  # noqa: B008
    """Run every step, as Airflow would without retries."""
    run, found = run_of(number, force), Night()
    failed: tuple[FailedStep, ...] = ()
    step = "freeze_inputs"
    try:
        frozen = freeze_inputs(world, run, wish)
        found.reasons = frozen.plan.reasons
        if not frozen.plan.needed or wish.dry_run:
            return found
        found.release_id = frozen.plan.release_id
        for step, call in PREPARING.items():
            found.outcomes[step] = prepare(call, world, run, found.release_id, named=bool(wish.model_version))
        step = "roll_out"
        found.outcomes[step] = perform(lambda *args: roll(*args, Cause.NIGHT), world, run, found.release_id)
        if not found.outcomes[step].skipped:
            step = "verify_release"
            found.outcomes[step] = perform(lambda *args: verify_release(*args, Cause.NIGHT), world, run, found.release_id)
    except NocturneError as error:
        found.failed, found.error = (step,), error
        failed = (FailedStep(step, type(error).__name__, error.message),)
    found.settled = settle(world, run, found.release_id, Cause.NIGHT, failed)
    return found


def two_nights(world: FakeWorld) -> tuple[str, str]:
    """Ids of a release that is live and of the next, which was not rolled out yet."""
    first = night(world, 1).release_id
    world.push()
    digests = world.ledger.release(str(first)).inputs
    inputs = dataclasses.replace(digests, code=world.code.resolve("HEAD"))
    return str(first), inputs.release_id


def rollback(world: FakeWorld, number: int, to: str | None = None, reason: str = "it looks odd") -> Settlement:
    """Run the rollback's steps."""
    run = Run(f"rollback/{number}", "production", "ada")
    failed: tuple[FailedStep, ...] = ()
    release = choose_release(world, run, to, reason)
    try:
        perform(lambda *args: roll(*args, Cause.ROLLBACK), world, run, release.id)
        perform(lambda *args: verify_release(*args, Cause.ROLLBACK), world, run, release.id)
    except NocturneError as error:
        failed = (FailedStep("roll_out", type(error).__name__, error.message),)
    return settle(world, run, release.id, Cause.ROLLBACK, failed)


def roll(world: World, run: Run, release: Release, cause: Cause) -> Outcome:
    return roll_out_and_wait(world, run, release, cause)
