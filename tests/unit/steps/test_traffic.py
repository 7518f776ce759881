import pytest

from nocturne.ports.cluster import Counters, Traffic
from nocturne.steps.own_requests import OwnRequests
from nocturne.steps.traffic import Asked, between, without
from tests.fakes.app_client import FakeAppClients


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": Traffic(10, 1)}, {"a": Traffic(15, 3)}, Asked(5, 2)),
        ({"a": Traffic(10, 1)}, {"a": Traffic(4, 0)}, Asked(4, 0)),
        (None, {"a": Traffic(4, 0)}, None),
        ({"a": Traffic(10, 1)}, None, None),
        ({"a": Traffic(10, 1)}, {"a": Traffic(12, 1), "b": Traffic(7, 3)}, Asked(9, 3, counters=2)),
        ({}, {"b": Traffic(7, 3)}, Asked(7, 3)),
    ],
)
def test_between(before: Counters | None, after: Counters | None, found: Asked | None) -> None:
    """The difference; what was restarted counts from zero, what is new as a whole, and nothing is known without both."""
    assert between(before, after) == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a/0": Traffic(9000, 90), "b/0": Traffic(100, 0)}, {"b/0": Traffic(150, 2)}),
        ({"a/0": Traffic(9000, 90), "b/0": Traffic(100, 0)}, {"a/0": None, "b/0": Traffic(150, 2)}),
        ({"a/0": None, "b/0": Traffic(100, 0)}, {"a/0": Traffic(9000, 90), "b/0": Traffic(150, 2)}),
    ],
)
def test_a_counter_that_goes(before: Counters, after: Counters) -> None:
    """What a replica that went, or that could not be asked once, has counted is not in the difference, and is told to be lost."""
    assert between(before, after) == Asked(50, 2, counters=1, lost=1)


@pytest.mark.parametrize(
    ("everybody", "own", "users"),
    [
        (Asked(10, 2), Traffic(4, 1), Asked(6, 1)),
        (Asked(3, 0), Traffic(4, 1), Asked(0, 0)),
        (Asked(10, 9, lost=1), Traffic(4, 0), Asked(6, 6, lost=1)),
        (None, Traffic(4, 1), None),
    ],
)
def test_without_our_own(everybody: Asked | None, own: Traffic, users: Asked | None) -> None:
    """Our own are subtracted, never below nothing, and no more fail than were asked."""
    assert without(everybody, own) == users


def test_what_we_asked_is_counted_as_the_app_counts() -> None:
    """Every answer is a request and one from 500 on a failed one; only scoring that succeeded is timed."""
    clients = FakeAppClients()
    status = iter([503, 200])
    clients.serve("http://app.test", {"GET /version": lambda body: (404, ""), "POST /score": lambda body: (next(status), "")})
    own = OwnRequests(clients.open("http://app.test"))
    own.get("/version")
    own.post("/score", {})
    assert (own.traffic, own.latency) == (Traffic(2, 1), None)
    own.post("/score", {})
    assert (own.traffic, own.latency) == (Traffic(3, 1), 0.001)
