"""The states of a release and of a deployment, and every change that is allowed between them.

All of it is in this one file so that it can be read as a whole; nothing else decides whether a change is allowed.
"""

from enum import StrEnum

from nocturne.domain.errors import NocturneError


class ReleaseState(StrEnum):
    """What is known of a release, wherever it is deployed."""

    CANDIDATE = "candidate"
    VERIFIED = "verified"
    REJECTED = "rejected"


class DeploymentState(StrEnum):
    """Where a release stands on its way into an environment."""

    PLANNED = "planned"
    ROLLING_OUT = "rolling out"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    REJECTED = "rejected"
    BROKEN = "broken"


_ALLOWED: dict[DeploymentState, frozenset[DeploymentState]] = {
    DeploymentState.PLANNED: frozenset({DeploymentState.ROLLING_OUT, DeploymentState.BROKEN}),
    DeploymentState.ROLLING_OUT: frozenset({DeploymentState.VERIFYING, DeploymentState.REJECTED, DeploymentState.BROKEN}),
    DeploymentState.VERIFYING: frozenset({DeploymentState.VERIFIED, DeploymentState.REJECTED, DeploymentState.BROKEN}),
    # A retry of the same run takes a broken deployment up again.
    DeploymentState.BROKEN: frozenset({DeploymentState.ROLLING_OUT}),
    # Only when something else runs there by now, and an operator has the same run put it right.
    DeploymentState.VERIFIED: frozenset({DeploymentState.ROLLING_OUT}),
    DeploymentState.REJECTED: frozenset(),
}


class IllegalTransition(NocturneError):
    """A deployment was to change into a state that does not follow from the one it is in."""


def check_transition(before: DeploymentState, after: DeploymentState) -> None:
    """Raise IllegalTransition unless a deployment may go from `before` to `after`. Staying is always allowed."""
    if after != before and after not in _ALLOWED[before]:
        allowed = ", ".join(sorted(_ALLOWED[before])) or "nothing: it is final"
        raise IllegalTransition(f"a deployment that is {before} cannot become {after}; what may follow is {allowed}")
