"""Clients that are many, slow or greedy, over real sockets: what they may take, and that they keep nobody waiting."""

import gc
import io
import random

import pytest
from served import BIG, CHUNKED, GET, LIMIT, PATIENCE_SECONDS, POST, TWO_HOSTS, Client, Serve, Served

from app import connection, request_reader
from app.connections import BODIES
from app.limits import Limits
from app.request_reader import PIPELINED

HALF = POST + b"Content-Length: %d\r\n\r\n" % LIMIT + b"x" * (LIMIT - 1)


def test_all_who_wait_at_the_door_are_let_in_at_once(serve: Serve) -> None:
    served = serve(1)
    first = Client(served, GET % b"wait")
    assert served.entered.wait(PATIENCE_SECONDS)
    clients = [Client(served, GET % b"a") for _ in range(50)]
    served.go.set()
    assert first.paths(1) == ["/wait"]
    assert {client.echo()["open"] for client in clients} == {"51"}


def test_each_has_its_turn_in_the_order_in_which_they_came(serve: Serve) -> None:
    served = serve(1)
    greedy = Client(served, GET % b"before")
    assert greedy.paths(1) == ["/before"]
    other = Client(served, GET % b"other")
    assert other.paths(1) == ["/other"]
    blocking = Client(served, GET % b"wait")
    assert served.entered.wait(PATIENCE_SECONDS)
    greedy.send(b"".join(GET % b"greedy-%d" % number for number in range(9)))
    other.send(GET % b"other")
    served.go.set()
    assert other.paths(1) == ["/other"] and blocking.paths(1) == ["/wait"]
    assert greedy.paths(9) == [f"/greedy-{number}" for number in range(9)]
    assert served.paths.index("/other", 2) < served.paths.index("/greedy-1")


def test_who_asks_much_at_once_keeps_nobody_out(serve: Serve) -> None:
    """Between two requests the loop reads on: what comes meanwhile is in its place before the greedy one's last."""
    served = serve(1)
    greedy = Client(served, (GET % b"slow") * (PIPELINED - 1))
    served.until(lambda: "/slow" in served.paths)
    assert Client(served, GET % b"other").paths(1) == ["/other"]
    assert len(greedy.paths(PIPELINED - 1)) == PIPELINED - 1
    assert served.paths[-1] == "/slow"


def test_there_is_room_for_only_so_many_bodies(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_reader, "SMALL_BYTES", 10)
    clients = [Client(served, HALF) for _ in range(BODIES)]
    served.until(lambda: served.connections.room.free == BODIES)
    assert Client(served, HALF).refused(503)["Retry-After"] == "1"
    # Small ones are read all the same.
    assert Client(served, POST + b"Content-Length: 10\r\n\r\n1234567890").echo()["body"] == "1234567890"
    clients[0].send(b"x")
    assert len(clients[0].echo()["body"]) == LIMIT
    assert len(Client(served, HALF + b"x").echo()["body"]) == LIMIT


def test_a_body_is_not_kept_once_it_was_answered(served: Served) -> None:
    marked = (b"%032x" % random.getrandbits(128)).ljust(LIMIT, b".")
    client = Client(served, POST + b"Content-Length: %d\r\n\r\n" % LIMIT + marked)
    assert client.echo()["body"] == marked.decode()
    kept = lambda: [x for x in gc.get_objects() if isinstance(x, io.BytesIO) and x.getvalue() == marked]  # noqa: E731
    served.until(lambda: not kept())
    client.send(GET % b"a")
    assert client.paths(1) == ["/a"]


def test_of_too_many_connections_one_that_is_idle_goes(served: Served) -> None:
    served.connections.limits = Limits(body_bytes=LIMIT, connections=3)
    clients = [Client(served, GET % b"a") for _ in range(3)]
    assert [client.paths(1) for client in clients] == [["/a"]] * 3
    served.tick()
    for client in (clients[0], clients[2]):
        client.send(GET % b"b")
        assert client.paths(1) == ["/b"]
    new = Client(served, GET % b"c")
    assert new.paths(1) == ["/c"] and clients[1].ended()
    assert served.do(lambda: len(served.connections.open)) == 3


def test_of_too_many_busy_connections_a_slow_one_goes_or_else_the_new_one(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.connections.limits = Limits(body_bytes=LIMIT, connections=2)
    slow = Client(served, HALF)
    served.until(lambda: served.connections.room.free == BODIES * LIMIT - (LIMIT - 1))
    served.tick()
    other = Client(served, HALF)
    served.until(lambda: served.connections.room.free == BODIES * LIMIT - 2 * (LIMIT - 1))
    assert Client(served).refused(503)["Retry-After"] == "1"
    monkeypatch.setattr(connection, "SLOW_SECONDS", 0)
    served.tick()
    assert Client(served, GET % b"a").paths(1) == ["/a"]
    slow.refused(503)
    other.send(b"x")
    assert len(other.echo()["body"]) == LIMIT


@pytest.mark.parametrize("told", [True, False], ids=["by its length", "in chunks"])
def test_too_long_a_body_is_refused_while_it_is_still_sent(served: Served, told: bool) -> None:
    length = b"Content-Length: %d\r\n\r\n" % BIG
    client = Client(served, POST + length if told else CHUNKED + b"%x\r\n" % BIG)
    # More than sockets hold: it can be sent only to somebody who reads.
    client.send(b"x" * BIG)
    status, headers, _ = client.answer()
    assert (status, headers["Connection"]) == (413, "close") and client.ended()
    assert served.paths == ["/p"]


def test_who_sends_too_many_requests_at_once_gets_some_answers_and_a_close(served: Served) -> None:
    client = Client(served, (GET % b"a") * (PIPELINED + 50))
    answers = [client.answer() for _ in range(PIPELINED)]
    assert client.ended() and "Connection" not in answers[-2][1] and answers[-1][1]["Connection"] == "close"


@pytest.mark.parametrize("half", [b"G", (GET % b"a")[:-2], POST + b"Content-Length: 3\r\n\r\nab", CHUNKED + b"1\r\nx"])
def test_half_a_request_is_waited_for_only_so_long(serve: Serve, half: bytes) -> None:
    served = serve(1, request_seconds=1)
    Client(served, half).refused(408)
    assert served.paths == []


def test_a_connection_without_requests_is_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, used = Client(served), Client(served, GET % b"a")
    assert used.paths(1) == ["/a"]
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.2)
    assert used.ended() and fresh.ended()


def test_who_does_not_read_is_dropped_and_keeps_nobody_waiting(served: Served) -> None:
    served.connections._request_seconds = 1
    client, other = Client(served, GET % b"big" * 50), Client(served)
    while served.do(lambda: len(served.connections.open)) > 1 or "/other" not in served.paths:
        other.send(GET % b"other")
        assert other.paths(1) == ["/other"]
    # What it asked besides was not even begun.
    assert served.paths.count("/big") == 1 and client.socket.fileno() > 0


def test_who_goes_on_after_a_refusal_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.2)
    client = Client(served, TWO_HOSTS)
    client.refused(400)
    served.until(lambda: not served.connections.open)
    client = Client(served, POST + b"Content-Length: %d\r\n\r\n" % BIG)
    with pytest.raises(ConnectionError):  # noqa: PT012
        while True:
            client.send(b"x" * 9999)
