import json

import pytest

from nocturne.cli import status, workplace
from nocturne.domain.errors import Broken, ConfigurationError, Rejected
from tests.fakes.world import FakeWorld
from tests.unit.cli.shell import Shell
from tests.unit.steps.nights import night

CHANGE = "Deployment digits: spec.replicas is 5, expected 2 (changed by kubectl-edit)"


@pytest.fixture
def world(fakes: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    """The world of the command, with a live release."""
    night(fakes)
    monkeypatch.setattr(workplace, "world", lambda: fakes)
    return fakes


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    status.status(json=True)
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found[0], dict)
    return found[0]


def test_a_change_by_hand_is_shown(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Text and JSON have every difference between what runs and what was released."""
    world.production.drifted = [CHANGE, "Service digits is missing"]
    assert told(capsys)["drift"] == [CHANGE, "Service digits is missing"]
    status.status()
    text = capsys.readouterr().out
    assert CHANGE in text
    assert "Service digits is missing" in text
    assert "drift" in text


def test_no_drift(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """As released, nothing is said."""
    assert told(capsys)["drift"] == []
    status.status()
    assert "drift" not in capsys.readouterr().out


def test_drift_that_cannot_be_told(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """A cluster that goes away meanwhile is said to be unknown; the rest is shown all the same."""
    world.production.fail_next("drift", Broken("the API server does not answer"))
    found = told(capsys)
    assert (found["drift"], found["as_recorded"]) == (["unknown: the API server does not answer"], True)


def test_drift_that_cannot_be_compared(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Manifests that newer rules refuse are said to be so; the rest is shown all the same."""
    world.production.fail_next("drift", Rejected("Deployment digits has no readinessProbe"))
    assert told(capsys)["drift"] == ["it cannot be compared with what was released: Deployment digits has no readinessProbe"]


def test_another_release_runs(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Where something else runs, that is the difference, and no other is looked for."""
    world.production.desired = None
    assert (told(capsys)["drift"], world.production.calls["drift"]) == ([], 0)


EXPIRED = ConfigurationError("the connection production", ["the client secret ended on 2026-11-01"])


def test_a_connection_that_is_wrong(world: FakeWorld, shell: Shell) -> None:
    """What the ledger knows is shown all the same: the live release, the hold and who is deploying."""
    world.ledger.hold("production", "ada", "the digits look odd")
    world.production.fail_next("running", EXPIRED)
    world.production.fail_next("public_url", EXPIRED)
    live = world.ledger.live("production")
    code, out, _ = shell.call("status")
    assert code == 0
    assert live is not None
    assert live.release_id in out
    assert "the digits look odd" in out
    assert "unknown: the connection production has 1 fault" in out
    assert "the client secret ended" in out


def test_drift_behind_a_connection_that_is_wrong(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret that ends between two looks leaves the difference unknown."""
    world.production.fail_next("drift", EXPIRED)
    assert told(capsys)["drift"] == [f"unknown: {EXPIRED.message}"]


def test_no_address_yet(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Where only the address is not known, what runs is, and it is compared with what was released."""
    world.production.drifted = [CHANGE]
    world.production.fail_next("public_url", Broken("found no public address of Service digits"))
    found = told(capsys)
    live = world.ledger.live("production")
    assert live is not None
    assert (found["running"], found["as_recorded"], found["drift"]) == (live.release_id, True, [CHANGE])
    assert found["public_url"] == "an unknown address: found no public address of Service digits"
