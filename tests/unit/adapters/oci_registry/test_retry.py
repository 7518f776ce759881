import pytest

from nocturne.adapters.oci_registry.retry import ATTEMPTS, LONGEST_PAUSE, Transient, retried
from nocturne.domain.errors import Broken


def failing(*failures: Exception):
    """A call that fails with each of `failures` in turn and then answers."""
    left = list(failures)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


def test_pauses_double():
    """A registry that is starting is not hammered."""
    pauses: list[float] = []
    assert retried(failing(Transient("1"), Transient("2"), Transient("3")), pauses.append) == "answer"
    assert pauses == [0.5, 1.0, 2.0]


def test_what_the_registry_asks_for_is_waited_but_not_for_ever():
    """Retry-After is obeyed up to a limit."""
    pauses: list[float] = []
    retried(failing(Transient("", after=7), Transient("", after=9999)), pauses.append)
    assert pauses == [7, LONGEST_PAUSE]


def test_the_last_failure_is_let_through():
    """After a few tries the failure is the step's, and it is Broken."""
    with pytest.raises(Broken, match=f"^{ATTEMPTS}$"):
        retried(failing(*(Transient(str(number)) for number in range(1, 9))), lambda _: None)


def test_other_failures_are_not_tried_again():
    """What will not pass by itself is not waited for."""
    pauses: list[float] = []
    with pytest.raises(Broken, match="refused"):
        retried(failing(Broken("refused")), pauses.append)
    assert pauses == []
