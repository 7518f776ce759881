"""Which release answered when, as the ledger's changes tell it. Pure: records go in, spans come out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import zip_longest

from nocturne.domain.records import Cause, Change
from nocturne.domain.states import DeploymentState


class Presence(StrEnum):
    """How a release was in an environment.

    live: verified there, and none after it yet. rolling out: on its way to be live, beside the live one. failed: on its way, and it
    did not get there. Of the last two some users may have got answers: how many depends on the strategy, and is not recorded.
    """

    LIVE = "live"
    ROLLING_OUT = "rolling out"
    FAILED = "failed"


@dataclass(frozen=True)
class Span:
    """One release in one environment for some time.

    until: not included any more; None where it lasts, and where nobody knows when a release that failed had left.
    """

    environment: str
    release_id: str
    presence: Presence
    since: datetime
    until: datetime | None

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether it was there at some moment from `start` up to `end`, the end not included."""
        return self.since < end and (self.until is None or self.until > start)

    def to_dict(self) -> dict[str, str | None]:
        """As JSON values; times in RFC 3339, UTC."""
        return {
            "environment": self.environment,
            "release": self.release_id,
            "presence": self.presence.value,
            "from": _written(self.since),
            "until": _written(self.until) if self.until else None,
        }


_ENDINGS = (DeploymentState.VERIFIED, DeploymentState.REJECTED, DeploymentState.BROKEN)


def spans(changes: Sequence[Change]) -> list[Span]:
    """Every time that a release spent in an environment, by its beginning. changes: of that environment, as they were written."""
    return sorted([*_live(changes), *_on_the_way(changes)], key=lambda span: span.since)


def _live(changes: Sequence[Change]) -> Iterable[Span]:
    """From each verification to that of the next release; the same one again (put back, or corrected) changes nothing."""
    verified = [change for change in changes if change.state is DeploymentState.VERIFIED]
    newest = [change for number, change in enumerate(verified) if number == 0 or _release(change) != _release(verified[number - 1])]
    for change, following in zip_longest(newest, newest[1:]):
        yield _span(change, Presence.LIVE, following)


def _on_the_way(changes: Sequence[Change]) -> Iterable[Span]:
    """From each rollout to its end, unless it is of what is live already."""
    live = ""
    for number, change in enumerate(changes):
        if change.state is DeploymentState.VERIFIED:
            live = _release(change)
        elif change.state is DeploymentState.ROLLING_OUT and _release(change) != live:
            yield _attempt(change, changes[number + 1 :])


def _attempt(begun: Change, later: Sequence[Change]) -> Span:
    ending = next((each for each in later if _same(each, begun) and each.state in _ENDINGS), None)
    if ending is None:
        # Not over; or nobody wrote down how it ended, and then it was over when the next release was verified.
        return _span(begun, Presence.ROLLING_OUT, _next_verified(later))
    if ending.state is DeploymentState.VERIFIED:
        return _span(begun, Presence.ROLLING_OUT, ending)
    after = later[later.index(ending) + 1 :]
    return _span(begun, Presence.FAILED, _gone(begun, ending, after))


def _gone(begun: Change, ending: Change, after: Sequence[Change]) -> Change | None:
    """When a release that failed had left: its run tried it again, or something was verified once it had begun to put one back.

    A run that puts nothing back leaves what it found; the failure is then all that is known.
    """
    for change in after:
        if _same(change, begun) and change.state is DeploymentState.ROLLING_OUT:
            return change
        if change.deployment.run_id == begun.deployment.run_id and change.deployment.cause is Cause.RESTORE:
            return _next_verified(after)
    return ending


def _next_verified(later: Iterable[Change]) -> Change | None:
    return next((change for change in later if change.state is DeploymentState.VERIFIED), None)


def _span(begun: Change, presence: Presence, ended: Change | None) -> Span:
    since = datetime.fromisoformat(begun.at)
    # Workers' clocks differ: what was written later may bear an earlier time.
    until = max(since, datetime.fromisoformat(ended.at)) if ended else None
    return Span(begun.deployment.environment, _release(begun), presence, since, until)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _same(one: Change, other: Change) -> bool:
    return one.deployment.id == other.deployment.id


def _release(change: Change) -> str:
    return change.deployment.release_id
