"""Answers to what users asked the live release."""

import dataclasses
from typing import Any

import pytest

from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.domain.records import Evidence, Subject
from nocturne.ports.app_client import AppClient
from nocturne.steps.shadow import compare_kept_requests
from tests.fakes.app_client import Handler
from tests.fakes.world import LABELS, RELEASE_TOML, FakeWorld
from tests.unit.steps.nights import night, run_of

LIVE, TRIED = "http://live.test", "http://tried.test"
IMAGE = "registry/digits@sha256:0"


@pytest.fixture
def shadowing(world: FakeWorld) -> FakeWorld:
    """A world with a live release whose app keeps requests."""
    night(world)
    ask_for_shadow(world)
    return world


def ask_for_shadow(world: FakeWorld) -> None:
    judge = dataclasses.replace(world.configuration.judge, shadow=True)
    world.configuration = dataclasses.replace(world.configuration, judge=judge)
    world.samples_url = LIVE
    world.lines.clear()


def keeps(world: FakeWorld, *kept: tuple[str, str], status: int = 200, body: Any = None) -> None:
    """What the live release tells: images with the best label that each was given."""
    samples = [{"image": image, "labels": [label, "8", "9"]} for image, label in kept]
    world.clients.serve(LIVE, {"GET /samples": lambda _: (status, {"samples": samples} if body is None else body)})


def answers(world: FakeWorld, *labels: str | int) -> AppClient:
    """The image under trial, which gives these labels one after the other; a number is a status."""
    left = iter(labels)

    def score(body: Any) -> tuple[int, Any]:
        label = next(left)
        return (label, {"error": "no"}) if isinstance(label, int) else (200, {"result": [[[[label, 99.0]]], "Computed"]})

    return served(world, score)


def served(world: FakeWorld, score: Handler) -> AppClient:
    world.clients.serve(TRIED, {"POST /score": score})
    return world.clients.open(TRIED)


def compared(world: FakeWorld, tried: AppClient) -> str:
    """What is logged, in one text."""
    compare_kept_requests(world, run_of(2), IMAGE, tried, world.golden())
    return "\n".join(world.lines)


def remembered(world: FakeWorld) -> Evidence | None:
    return world.ledger.recall(Subject.SHADOW, IMAGE)


def test_differences_are_told_and_counted(shadowing: FakeWorld) -> None:
    """The log has numbers and pairs of labels, the ledger numbers only, and neither has an image."""
    keeps(shadowing, ("secret 1", "1"), ("secret 2", "2"), ("secret 3", "3"), ("secret 4", "4"))
    told = compared(shadowing, answers(shadowing, "1", "7", "3", 400))
    expected = "of 4 kept requests 2 are answered differently; '2' became '7'; '4' became 'status 400'"
    assert told == f"shadow answers: {expected}"
    found = remembered(shadowing)
    assert found
    assert (found.passed, found.details) == (True, {"kept": 4, "different": 2})


def test_no_difference_is_told_too(shadowing: FakeWorld) -> None:
    """The same answers are none that differ."""
    keeps(shadowing, ("a", "1"), ("b", "2"))
    assert compared(shadowing, answers(shadowing, "1", "2")).endswith("of 2 kept requests 0 are answered differently")


def test_few_examples_and_short_ones(shadowing: FakeWorld) -> None:
    """Five pairs at most, and of a label no more than its beginning."""
    keeps(shadowing, *((f"image {number}", "x" * 500) for number in range(9)))
    told = compared(shadowing, answers(shadowing, *["7"] * 9))
    assert told.count("became") == 5
    assert len(told) < 500


def test_an_answer_that_is_none(shadowing: FakeWorld) -> None:
    """What cannot be read as an answer differs."""
    keeps(shadowing, ("a", "1"))
    assert "'1' became 'no label'" in compared(shadowing, served(shadowing, lambda body: (200, {"result": [[[]], ""]})))


def test_the_newest_are_asked(shadowing: FakeWorld) -> None:
    """Of very many kept requests the last two hundred are asked again."""
    keeps(shadowing, *((f"image {number}", "1" if number < 10 else "2") for number in range(210)))
    assert "of 200 kept requests 0 are" in compared(shadowing, answers(shadowing, *["2"] * 200))


def test_our_own_requests_are_none_of_users(shadowing: FakeWorld) -> None:
    """Golden images, which verification sends to production again and again, are left out."""
    golden = [(f"picture of {label}", label) for label in LABELS]
    keeps(shadowing, *golden, ("a", "1"), *golden)
    assert "of 1 kept requests" in compared(shadowing, answers(shadowing, "1"))
    keeps(shadowing, *golden)
    assert "has kept no request of users yet" in compared(shadowing, answers(shadowing))


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, "Not Found", "keeps no requests; it would with SAMPLES and SAMPLES_TOKEN set"),
        (401, {"error": "no"}, "refuses samples_token"),
        (500, "x" * 999, "GET /samples answered 500: xxx"),
        (200, "secret", "something else than expected"),
        (200, ["secret"], "something else than expected"),
        (200, {"samples": "secret"}, "something else than expected"),
        (200, {"samples": [{"image": "secret", "labels": []}]}, "something else than expected"),
        (200, {"samples": [{"image": ["secret"], "labels": ["1"]}]}, "something else than expected"),
    ],
)
def test_what_keeps_it_from_comparing(shadowing: FakeWorld, status: int, body: Any, told: str) -> None:
    """It is said and changes nothing, without anything that a user may have sent."""
    keeps(shadowing, status=status, body=body)
    found = compared(shadowing, answers(shadowing))
    assert told in found
    assert "secret" not in found
    assert len(found) < 400
    assert remembered(shadowing) is None


def test_the_live_release_is_away(shadowing: FakeWorld) -> None:
    """Nothing answers at the public address: said, and no reason to fail."""
    assert f"nothing was compared: nothing answers at {LIVE}" in compared(shadowing, answers(shadowing))


def test_the_tried_image_is_away(shadowing: FakeWorld) -> None:
    """An image that ends while it is asked is told, and not remembered as compared."""

    def ends(body: Any) -> tuple[int, Any]:
        raise Broken("nothing answers at the container")

    keeps(shadowing, ("a", "1"))
    assert "nothing was compared: nothing answers at the container" in compared(shadowing, served(shadowing, ends))
    assert remembered(shadowing) is None


def test_without_a_token(shadowing: FakeWorld) -> None:
    """The log says which field is missing."""
    shadowing.samples_url = ""
    assert "the connection of production has no samples_token" in compared(shadowing, answers(shadowing))


def test_nothing_is_live(world: FakeWorld) -> None:
    """Before the first release there is nobody to ask."""
    ask_for_shadow(world)
    assert "nothing is live in production yet" in compared(world, answers(world))


def test_off_by_default(world: FakeWorld) -> None:
    """Without `judge.shadow` nobody is asked, and nothing is said."""
    night(world)
    world.samples_url = LIVE
    world.lines.clear()
    keeps(world, ("a", "1"))
    assert compared(world, answers(world)) == ""
    assert world.clients.calls[f"{LIVE} GET /samples"] == 0


def test_a_night_compares_and_ships_all_the_same(world: FakeWorld) -> None:
    """The image under trial is asked what users asked; different answers stop nothing."""
    night(world, 1)
    world.push(release_toml=RELEASE_TOML.replace(b"min_accuracy", b"shadow = true\nmin_accuracy"))
    world.samples_url = LIVE
    keeps(world, ("a user's", "0"), ("another's", "5"))
    second = night(world, 2)
    assert second.error is None
    image = world.ledger.release(str(second.release_id)).image
    found = world.ledger.recall(Subject.SHADOW, image)
    assert found
    assert found.details == {"kept": 2, "different": 1}
    assert "shadow answers: of 2 kept requests 1 are answered differently; '5' became '0'" in world.lines


def test_a_wrong_connection_stops_nothing(shadowing: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that cannot be sent is told, and the trial goes on."""

    def refused(environment: str) -> AppClient:
        raise ConfigurationError("the connection production", ["extra.samples_token: found 3 characters"])

    monkeypatch.setattr(shadowing, "samples", refused)
    assert "nothing was compared: the connection production has 1 fault" in compared(shadowing, answers(shadowing))
    assert remembered(shadowing) is None


def test_a_slow_image_is_asked_for_a_minute(shadowing: FakeWorld) -> None:
    """A task has so much time only; what was asked until then is told."""
    keeps(shadowing, *((f"image {number}", "1") for number in range(50)))

    def slow(body: Any) -> tuple[int, Any]:
        shadowing.clock.sleep(10)
        return 200, {"result": [[[["1", 99.0]]], "Computed"]}

    told = compared(shadowing, served(shadowing, slow))
    assert told.endswith("of 6 kept requests (44 more were not asked: 60 s were up) 0 are answered differently")
    assert remembered(shadowing).details == {"kept": 6, "different": 0}
