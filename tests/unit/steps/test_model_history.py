"""Which release answered when."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from nocturne.domain.records import Cause, Change, Deployment
from nocturne.domain.states import DeploymentState
from nocturne.steps.model_history import Presence, Span, spans
from tests.fakes.world import LABELS, FakeWorld
from tests.unit.steps.nights import night, rollback

BEGIN = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
LIVE, COMING, FAILED = Presence.LIVE, Presence.ROLLING_OUT, Presence.FAILED
OUT, VERIFYING, VERIFIED = DeploymentState.ROLLING_OUT, DeploymentState.VERIFYING, DeploymentState.VERIFIED
REJECTED, BROKEN = DeploymentState.REJECTED, DeploymentState.BROKEN

Told = tuple[str, Presence, int, int | None]


@dataclass
class Story:
    """Changes as a ledger tells them: minute, run, release and state of each."""

    changes: list[Change] = field(default_factory=list)
    ids: dict[tuple[str, Cause], int] = field(default_factory=dict)

    def add(self, minute: int, run: str, release: str, state: DeploymentState, cause: Cause = Cause.NIGHT) -> "Story":
        number = self.ids.setdefault((run, cause), len(self.ids) + 1)
        at = (BEGIN + timedelta(minutes=minute)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        deployment = Deployment(number, release, "production", run, cause, "schedule", state, "", at, at)
        self.changes.append(Change(deployment, at, state))
        return self

    def verified(self, minute: int, run: str, release: str, cause: Cause = Cause.NIGHT) -> "Story":
        """Rolled out in two minutes, verified in one more."""
        self.add(minute, run, release, DeploymentState.PLANNED, cause)
        return (
            self.add(minute, run, release, OUT, cause)
            .add(minute + 2, run, release, VERIFYING, cause)
            .add(minute + 3, run, release, VERIFIED, cause)
        )

    def told(self) -> list[Told]:
        """Release, presence, and minutes of begin and end."""
        return [(span.release_id, span.presence, _minute(span.since), _until(span)) for span in spans(self.changes)]


def _minute(moment: datetime) -> int:
    return round((moment - BEGIN).total_seconds() / 60)


def _until(span: Span) -> int | None:
    return _minute(span.until) if span.until else None


def test_nothing_was_released() -> None:
    """Without changes there are no spans, and a deployment that was only planned is none."""
    assert spans([]) == []
    assert Story().add(0, "1", "a", DeploymentState.PLANNED).told() == []


def test_one_release_follows_another() -> None:
    """A release is live from its verification to the next one's; while it rolls out, both are there."""
    story = Story().verified(0, "1", "a").verified(10, "2", "b")
    assert story.told() == [("a", COMING, 0, 3), ("a", LIVE, 3, 13), ("b", COMING, 10, 13), ("b", LIVE, 13, None)]


def test_a_rollback_is_one_more_span() -> None:
    """What is put back by people is live anew, and what was between has its own time."""
    story = Story().verified(0, "1", "a").verified(10, "2", "b").verified(20, "3", "a", Cause.ROLLBACK)
    assert [told for told in story.told() if told[1] is LIVE] == [("a", LIVE, 3, 13), ("b", LIVE, 13, 23), ("a", LIVE, 23, None)]


def test_a_failed_rollout_leaves_the_live_release_live() -> None:
    """What failed was there until the previous release was verified again, which never ceased to be live."""
    story = Story().verified(0, "1", "a").add(10, "2", "b", OUT).add(12, "2", "b", REJECTED).verified(13, "2", "a", Cause.RESTORE)
    assert story.told() == [("a", COMING, 0, 3), ("a", LIVE, 3, None), ("b", FAILED, 10, 16)]


def test_a_failure_with_nothing_to_put_back() -> None:
    """Its run restored nothing: it was there until it failed, and nothing was ever live."""
    assert Story().add(0, "1", "a", OUT).add(4, "1", "a", REJECTED).verified(60, "2", "b").told() == [
        ("a", FAILED, 0, 4),
        ("b", COMING, 60, 63),
        ("b", LIVE, 63, None),
    ]


def test_a_restoration_that_does_not_succeed() -> None:
    """Nobody knows when the failed release left, until something is verified again."""
    story = Story().verified(0, "1", "a").add(10, "2", "b", OUT).add(12, "2", "b", REJECTED)
    story.add(13, "2", "a", OUT, Cause.RESTORE).add(14, "2", "a", BROKEN, Cause.RESTORE)
    assert story.told()[2:] == [("b", FAILED, 10, None)]
    assert story.verified(30, "3", "c").told()[2] == ("b", FAILED, 10, 33)


def test_a_broken_rollout_is_tried_again() -> None:
    """The first try ends where the second one begins, and the second one ends well."""
    story = Story().verified(0, "1", "a").add(10, "2", "b", OUT).add(12, "2", "b", BROKEN)
    story.add(15, "2", "b", OUT).add(16, "2", "b", VERIFYING).add(17, "2", "b", VERIFIED)
    assert story.told()[2:] == [("b", FAILED, 10, 15), ("b", COMING, 15, 17), ("b", LIVE, 17, None)]


def test_a_rollout_under_way() -> None:
    """What is on its way now has no end yet."""
    story = Story().verified(0, "1", "a").add(10, "2", "b", OUT).add(11, "2", "b", VERIFYING)
    assert story.told()[1:] == [("a", LIVE, 3, None), ("b", COMING, 10, None)]


def test_a_rollout_whose_end_nobody_wrote_down() -> None:
    """A run that was killed for good does not stay on its way for ever."""
    story = Story().verified(0, "1", "a").add(10, "2", "b", OUT).verified(20, "3", "c")
    assert story.told()[2] == ("b", COMING, 10, 23)


def test_the_live_release_corrected() -> None:
    """A change by hand that is put right is the same release over itself: one span, and no attempt, even where it fails."""
    story = Story().verified(0, "1", "a").verified(10, "2", "a").add(20, "3", "a", OUT).add(21, "3", "a", BROKEN)
    assert story.told() == [("a", COMING, 0, 3), ("a", LIVE, 3, None)]


def test_the_same_run_puts_its_release_right() -> None:
    """A deployment that was verified, superseded and deployed anew is live twice."""
    story = Story().verified(0, "1", "a").verified(10, "2", "b").add(20, "1", "a", OUT).add(22, "1", "a", VERIFIED)
    assert story.told()[3:] == [("b", LIVE, 13, 22), ("a", COMING, 20, 22), ("a", LIVE, 22, None)]


def test_two_verifications_in_the_same_moment() -> None:
    """The one that was written later counts; the other was live for no time, and is not lost."""
    story = Story().add(5, "1", "a", VERIFIED).add(5, "2", "b", VERIFIED)
    assert story.told() == [("a", LIVE, 5, 5), ("b", LIVE, 5, None)]


def test_clocks_that_differ() -> None:
    """A worker whose clock is late makes no span that ends before it begins."""
    assert Story().add(5, "1", "a", VERIFIED).add(4, "2", "b", VERIFIED).told() == [("b", LIVE, 4, None), ("a", LIVE, 5, 5)]


@pytest.mark.parametrize(
    ("start", "end", "touches"), [(0, 10, False), (0, 11, True), (12, 13, True), (19, 30, True), (20, 30, False)]
)
def test_an_end_is_not_included(start: int, end: int, touches: bool) -> None:
    """A span from minute 10 to 20 touches what begins before 20 and ends after 10."""
    span = Span("production", "a", LIVE, BEGIN + timedelta(minutes=10), BEGIN + timedelta(minutes=20))
    assert span.touches(BEGIN + timedelta(minutes=start), BEGIN + timedelta(minutes=end)) is touches
    assert Span("production", "a", LIVE, span.since, None).touches(BEGIN + timedelta(days=900), BEGIN + timedelta(days=901))


def test_real_nights(world: FakeWorld) -> None:
    """Of two good nights, one that failed in production and a rollback, the ledger tells who was live and who was tried."""
    first = str(night(world, 1).release_id)
    world.push()
    second = str(night(world, 2).release_id)
    world.push()
    third = _pushed(world, second)
    world.answers_in_production[third] = ("9",) * len(LABELS)
    assert night(world, 3).failed == ("verify_release",)
    world.clock.advance(60)
    rollback(world, 4)
    found = spans(world.ledger.changes("production"))
    assert [(span.release_id, span.presence) for span in found if span.presence is not COMING] == [
        (first, LIVE),
        (second, LIVE),
        (third, FAILED),
        (first, LIVE),
    ]
    assert [span.release_id for span in found if span.until is None] == [first]
    assert spans(world.ledger.changes("elsewhere")) == []


def _pushed(world: FakeWorld, live: str) -> str:
    """The id of the release that the next night makes of what was pushed."""
    return replace(world.ledger.release(live).inputs, code=world.code.resolve("HEAD")).release_id
