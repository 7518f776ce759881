from dataclasses import replace

import pytest

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.domain.errors import NotFound
from nocturne.domain.states import ReleaseState
from tests.fakes import FakeClock
from tests.fakes.inputs import some_inputs

MANIFESTS = {"web.yaml": "kind: Deployment\n", "ümlaut.yaml": "name: 'ü'\n"}


def test_a_release_comes_back_as_it_was_recorded(ledger: SqlLedger) -> None:
    """Inputs, manifests and the time are the same after a round trip through the database."""
    inputs = some_inputs()
    opened = ledger.open_release(inputs, MANIFESTS)
    assert ledger.release(opened.id) == opened
    assert (opened.inputs, opened.manifests) == (inputs, MANIFESTS)
    assert opened.created_at == "2026-11-20T02:00:00.000Z"
    assert (opened.state, opened.image, opened.reason) == (ReleaseState.CANDIDATE, "", "")


def test_the_same_inputs_are_the_same_release(ledger: SqlLedger, clock: FakeClock) -> None:
    """A second run with the same inputs gets what the first recorded and learned."""
    first = ledger.open_release(some_inputs(), MANIFESTS)
    ledger.set_image(first.id, "host/app@sha256:1")
    clock.advance(3600)
    again = ledger.open_release(some_inputs(), {"other.yaml": ""})
    assert again == ledger.release(first.id)
    assert (again.created_at, again.manifests, again.image) == (first.created_at, MANIFESTS, "host/app@sha256:1")
    assert len(ledger.releases()) == 1


def test_a_verified_release_takes_a_signature_that_its_model_got_since(ledger: SqlLedger) -> None:
    """The same files, signed and published again, are the same release: it stays what it was, but is signed now, and stays so."""
    plain = some_inputs()
    release = ledger.open_release(plain, MANIFESTS)
    ledger.set_image(release.id, "host/app@sha256:1")
    ledger.set_release_state(release.id, ReleaseState.VERIFIED)
    signed = replace(plain, model=replace(plain.model, version="v2", signature="by alice"))
    for inputs in (signed, plain):
        again = ledger.open_release(inputs, MANIFESTS)
        assert again == ledger.release(release.id)
        assert (again.inputs.model.version, again.inputs.model.signature) == (plain.model.version, "by alice")
        assert again.image == "host/app@sha256:1"


def test_a_prefix_that_only_one_release_has_is_enough(ledger: SqlLedger) -> None:
    """A release is found by the beginning of its id; by the one they all share it is not."""
    first, second = (ledger.open_release(some_inputs(code=code), {}) for code in ("one", "two"))
    assert ledger.release(first.id[:6]) == first
    with pytest.raises(NotFound, match=f"several releases begin with r-: {second.id}, {first.id}"):
        ledger.release("r-")


@pytest.mark.parametrize("release_id", ["", "r-ffffffffffff", "%", "r_", "R-"])
def test_an_unknown_release_lists_the_newest(ledger: SqlLedger, release_id: str) -> None:
    """What is no release's beginning is not found, and the message names those there are; wildcards are plain characters."""
    known = ledger.open_release(some_inputs(), {})
    ledger.open_release(some_inputs(code="other"), {})
    with pytest.raises(NotFound, match=f"the newest are: .*{known.id}"):
        ledger.release(release_id)


def test_an_empty_ledger_says_so(ledger: SqlLedger) -> None:
    """With no release at all the message says none."""
    with pytest.raises(NotFound, match="none yet"):
        ledger.release("r-1")
    assert ledger.releases() == []


def test_releases_come_newest_first_within_a_limit(ledger: SqlLedger) -> None:
    """The order is that of recording, also within one moment of the clock."""
    ids = [ledger.open_release(some_inputs(code=str(number)), {}).id for number in range(5)]
    assert [release.id for release in ledger.releases()] == ids[::-1]
    assert [release.id for release in ledger.releases(limit=2)] == ids[:2:-1]


def test_image_and_state_are_recorded(ledger: SqlLedger) -> None:
    """The image and what became of a release are kept, each without touching the other."""
    release = ledger.open_release(some_inputs(), {})
    other = ledger.open_release(some_inputs(code="other"), {})
    ledger.set_image(release.id, "host/app@sha256:1")
    ledger.set_release_state(release.id, ReleaseState.REJECTED, "tests failed")
    found = ledger.release(release.id)
    assert (found.image, found.state, found.reason) == ("host/app@sha256:1", ReleaseState.REJECTED, "tests failed")
    ledger.set_release_state(release.id, ReleaseState.VERIFIED)
    assert ledger.release(release.id).reason == ""
    assert ledger.release(other.id) == other


def test_an_unknown_release_cannot_be_changed(ledger: SqlLedger) -> None:
    """Changing takes the whole id: a prefix is not found."""
    release = ledger.open_release(some_inputs(), {})
    with pytest.raises(NotFound):
        ledger.set_image(release.id[:6], "image")
    with pytest.raises(NotFound):
        ledger.set_release_state("r-none", ReleaseState.VERIFIED)
    assert ledger.release(release.id) == release
