"""Whether a canary does as well as the live release beside it."""

from dataclasses import dataclass

from nocturne.domain.strategy import Canary


@dataclass(frozen=True)
class Seen:
    """What one side did while it was compared.

    requests, failed: users', our own left out; None where the app does not tell. latency: median of our own that were answered,
    in seconds, None where none was. replicas: that told. lost: those that went, were restarted or could not be asked meanwhile.
    """

    requests: int | None
    failed: int
    latency: float | None
    replicas: int = 1
    lost: int = 0

    @property
    def error_rate(self) -> float:
        """The share (0 to 1) of users' requests that failed; 0 without requests."""
        return self.failed / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Comparison:
    """The new release and the live one, seen over the same time."""

    new: Seen
    live: Seen

    def gaps(self, gates: Canary) -> list[str]:
        """Everything that is missing for a judgement on what users got; empty when there is enough."""
        sides = (("new", self.new), ("live", self.live))
        return [gap for name, side in sides for gap in (*_gaps(name, side, gates.min_requests), *_unanswered(name, side))]

    def objections(self, gates: Canary) -> list[str]:
        """Every reason not to go on with the new release. What users got is judged only where there are no gaps."""
        found = []
        allowed = self.live.error_rate + gates.max_error_rate_increase
        untold = [*_gaps("new", self.new, gates.min_requests), *_gaps("live", self.live, gates.min_requests)]
        if not untold and self.new.error_rate > allowed:
            found.append(
                f"{self.new.failed} of {self.new.requests} requests of users failed ({self.new.error_rate:.2%}), "
                f"expected at most {allowed:.2%}: the live release's {self.live.error_rate:.2%} "
                f"and {gates.max_error_rate_increase:.2%}"
            )
        new, live = self.new.latency, self.live.latency
        if new is not None and live is not None and new > live * gates.max_latency_ratio:
            found.append(
                f"median latency is {new * 1000:.1f} ms, expected at most {gates.max_latency_ratio:g} times "
                f"the live release's {live * 1000:.1f} ms"
            )
        return found

    def __str__(self) -> str:
        """The numbers, in one line."""
        return f"new: {_told(self.new)}; live: {_told(self.live)}"


def _gaps(name: str, side: Seen, needed: int) -> list[str]:
    if side.requests is None:
        return [f"the {name} release does not tell what users asked of it"]
    found = []
    if side.lost:
        found.append(
            f"{side.lost} replicas of the {name} release went, were restarted or could not be asked while it was compared, "
            "and with them what users asked of them"
        )
    if side.requests < needed:
        found.append(f"users sent the {name} release {side.requests} requests, expected at least {needed}")
    return found


def _unanswered(name: str, side: Seen) -> list[str]:
    return [f"the {name} release gave no right answer whose time could be compared"] if side.latency is None else []


def _told(side: Seen) -> str:
    users = "no count of users' requests" if side.requests is None else f"{side.failed} of {side.requests} requests of users failed"
    return f"{users}, {'no right answer' if side.latency is None else f'median latency {side.latency * 1000:.1f} ms'}"
