import pytest

from nocturne.domain.errors import Broken, ConfigurationError, Conflict, NocturneError, Rejected
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.settle import Verdict
from tests.fakes.world import RELEASE_TOML, FakeWorld
from tests.unit.steps.nights import night, run_of
from tests.unit.steps.strategies import live_and_next


@pytest.mark.parametrize("error", [Rejected("readinessProbe: the newer rule asks for one"), Conflict("digits is not ours")])
def test_what_cannot_be_compared_is_no_reason_to_refuse(world: FakeWorld, error: NocturneError) -> None:
    """Manifests of the live release that fail newer rules are told in the log, and the night has nothing to do."""
    first = night(world, 1).release_id
    world.production.fail_next("drift", error)
    second = night(world, 2)
    assert (second.error, second.outcomes) == (None, {})
    assert f"production cannot be compared with {first} as it was released: {error.message}" in "\n".join(world.lines)
    assert world.ledger.quarantined() == []


def test_something_new_does_not_wait_for_a_comparison(world: FakeWorld) -> None:
    """Where something new ships, a cluster that does not answer that one question is only logged."""
    live_and_next(world)
    world.production.fail_next("drift", Broken("the API server does not answer"))
    assert night(world, 2).verdict is Verdict.VERIFIED


def test_limits_that_the_scheduler_does_not_know(world: FakeWorld) -> None:
    """A commit with longer limits than the deployed file's is not begun and not refused: every one of them is named."""
    limits = b"rollout_timeout_seconds = 3000\n[tests]\ntimeout_seconds = 1200\n"
    world.push(release_toml=RELEASE_TOML + limits)
    found = night(world)
    assert isinstance(found.error, ConfigurationError)
    assert "tests.timeout_seconds: found 600 s, but the commit to be released asks for 1200 s: deploy" in str(found.error)
    assert "(rollout_timeout_seconds, strategy): found 600 s, but the commit to be released asks for 3000 s" in str(found.error)
    assert (found.verdict, world.ledger.quarantined()) == (Verdict.BROKEN, [])


def test_limits_that_fit_beside_the_deployed_ones(world: FakeWorld) -> None:
    """A few seconds more need no new deployed file."""
    world.push(release_toml=RELEASE_TOML + b"rollout_timeout_seconds = 700\n")
    assert night(world).verdict is Verdict.VERIFIED


def test_a_manifest_that_is_no_text(world: FakeWorld) -> None:
    """It is refused by its name, with the byte that is wrong."""
    world.push(swarm__compose_yaml=b"web: \xff\n")
    found = night(world)
    assert isinstance(found.error, Rejected)
    assert "swarm/compose.yaml at " in found.error.message
    assert "found the byte 0xff at 5, expected UTF-8" in found.error.message


def test_a_refusal_is_told_again_by_a_retry(world: FakeWorld) -> None:
    """A run that was killed right after it had refused an input ends red all the same; only later runs are calm."""
    world.push(swarm__compose_yaml=b"web: \xff\n")
    for _ in range(2):
        with pytest.raises(Rejected, match="is no text"):
            freeze_inputs(world, run_of(1), Wish())
    assert not freeze_inputs(world, run_of(2), Wish()).plan.needed
