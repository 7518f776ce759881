import pickle

import pytest

from nocturne.domain.errors import Broken, ConfigurationError, LeaseTaken, NocturneError, NotFound, Rejected


def test_rejected_and_broken_share_nothing_but_their_base() -> None:
    """Neither is the other, so that no handler can take one for the other; who must wait for a lease is broken."""
    assert not issubclass(Rejected, Broken)
    assert not issubclass(Broken, Rejected)
    assert issubclass(LeaseTaken, Broken)


def test_the_advice_stands_below_the_message() -> None:
    """What was found comes first, what to do about it after; without advice nothing is added."""
    assert str(NotFound("no such thing", advice="look again")) == "no such thing\n  What to do: look again"
    assert str(NotFound("no such thing")) == "no such thing"


def test_all_faults_of_a_configuration_stand_in_one_message() -> None:
    """The message counts and lists them."""
    error = ConfigurationError("release.toml", ["night.cron is missing", "model.name is empty"])
    assert error.faults == ("night.cron is missing", "model.name is empty")
    assert error.message == "release.toml has 2 faults:\n  - night.cron is missing\n  - model.name is empty"
    assert "has 1 fault:" in ConfigurationError("release.toml", ["one"]).message


def test_blaming_adds_the_culprits_alone() -> None:
    """The same rejection, with what goes into quarantine."""
    blamed = Rejected("corrupt", advice="publish again").blaming("sha256:1")
    assert (blamed.message, blamed.advice, blamed.culprits) == ("corrupt", "publish again", ("sha256:1",))


PICKLED = [Broken("b", advice="a"), Rejected("r", advice="a", culprits=("x",)), NotFound("n")]


@pytest.mark.parametrize(
    "error",
    [*PICKLED, ConfigurationError("file", ["one"])],
)
def test_errors_survive_a_change_of_process(error: NocturneError) -> None:
    """Pickled and read back, an error still says the same."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), vars(copy)) == (str(error), vars(error))
