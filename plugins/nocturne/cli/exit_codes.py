"""Exit codes that scripts can use."""

from nocturne.domain.errors import Broken, ConfigurationError, Conflict, Inconclusive, NocturneError, NotFound, Rejected

OK = 0
UNEXPECTED = 1
USAGE = 2
REJECTED = 3
BROKEN = 4
NOT_FOUND = 5
CONFLICT = 6
INCONCLUSIVE = 7


class UsageError(NocturneError):
    """What was asked for cannot be done with these arguments; that says nothing about a release."""

    word = "wrong usage"


_OF_ERROR: tuple[tuple[type[NocturneError], int], ...] = (
    (Rejected, REJECTED),
    (Inconclusive, INCONCLUSIVE),
    (Broken, BROKEN),
    (ConfigurationError, USAGE),
    (UsageError, USAGE),
    (NotFound, NOT_FOUND),
    (Conflict, CONFLICT),
)


def exit_code(error: NocturneError) -> int:
    """The exit code for an error."""
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), UNEXPECTED)
