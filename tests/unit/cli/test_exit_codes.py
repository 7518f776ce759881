import pytest

from nocturne.cli.exit_codes import UsageError, exit_code
from nocturne.domain import errors


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (errors.Rejected("x"), 3, "rejected"),
        (errors.BadBlob("x"), 3, "rejected"),
        (errors.Broken("x"), 4, "broken"),
        (errors.BlobChanged("x"), 4, "broken"),
        (errors.LeaseTaken("x"), 4, "broken"),
        (errors.Relapsed("x"), 4, "broken"),
        (errors.NotFound("x"), 5, "not found"),
        (errors.Conflict("x"), 6, "conflict"),
        (errors.Inconclusive("x"), 7, "inconclusive"),
        (errors.Unclear("x"), 7, "inconclusive"),
        (errors.ConfigurationError("x", ["y"]), 2, "wrong configuration"),
        (UsageError("x"), 2, "wrong usage"),
        (errors.NocturneError("x"), 1, "error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_is_told_by_its_family(error: errors.NocturneError, code: int, expected: str) -> None:
    """What users read is the word of the exit code, and never the name of a class."""
    assert (exit_code(error), error.word) == (code, expected)
