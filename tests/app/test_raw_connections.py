"""Connections that do not behave: the app answers them or drops them, and serves the others."""

import gzip
import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.app.conftest import StartApp
from tests.app.images import IMAGES
from tests.app.raw_http import ask, check, connect, receive, receive_all, request
from tests.app.running_app import PATIENCE_SECONDS, RunningApp

PNG = IMAGES["image/png"]
PREDICT = request("POST", "/v1/predict", [("Content-Type", "image/png")], PNG)


@pytest.fixture(autouse=True)
def survives(running_app: RunningApp) -> Iterator[None]:
    """After each test the same processes answer as before."""
    before = running_app.workers()
    yield
    check(answer := ask(running_app.port, PREDICT))
    assert answer.status == 200
    assert running_app.workers() == before


def test_half_a_request(running_app: RunningApp) -> None:
    """A client that leaves in the middle of its head or body is forgotten."""
    for length in range(1, len(PREDICT), 7):
        with connect(running_app.port) as connection:
            connection.sendall(PREDICT[:length])


def test_a_body_that_comes_slowly(running_app: RunningApp) -> None:
    """It is answered when it is there."""
    with connect(running_app.port) as connection:
        for place in range(0, len(PREDICT), 16):
            connection.sendall(PREDICT[place : place + 16])
            time.sleep(0.01)
        check(answer := receive(connection))
    assert answer.status == 200


@pytest.mark.parametrize("address", ["/v1/predict", "/version", "/nowhere"])
def test_requests_sent_before_the_answers(running_app: RunningApp, address: str) -> None:
    """Each of several requests in one piece gets its own answer, in their order."""
    with connect(running_app.port) as connection:
        asked = [
            request("POST", address, [("Content-Type", "image/png"), ("X-Request-ID", f"id-{place}")], PNG) for place in range(5)
        ]
        connection.sendall(b"".join(asked))
        answers = receive_all(connection, len(asked))
    assert [answer.headers["x-request-id"] for answer in answers] == [f"id-{place}" for place in range(5)]


@pytest.mark.parametrize("length", [8 * 1024 * 1024 + 1, 10**12, 2**63 - 1])
@pytest.mark.parametrize("address", ["/score", "/v1/predict", "/v2/models/digits/infer"])
def test_a_length_too_large_to_wait_for(running_app: RunningApp, address: str, length: int) -> None:
    """A body that is announced to be too long is refused before it is there."""
    headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(length))]
    check(answer := ask(running_app.port, request("POST", address, headers, length=False)))
    assert answer.status == 413


@pytest.mark.parametrize("length", [b"-1", b"abc", b"1e3", b"99999999999999999999999999", b"+5", b"0x10", b"5, 5, 6"])
def test_a_length_that_is_none(running_app: RunningApp, length: bytes) -> None:
    """What is no number of bytes is a bad request."""
    content = request("POST", "/v1/predict", [("Content-Type", "image/png"), ("Content-Length", length)], b"abcde", length=False)
    assert ask(running_app.port, content).status == 400


def test_two_lengths_that_differ(running_app: RunningApp) -> None:
    """A request whose end nobody knows is refused: a proxy may think another one follows (RFC 9112, section 6.3)."""
    head = [("Content-Type", "image/png"), ("Content-Length", "5"), ("Content-Length", "6")]
    assert ask(running_app.port, request("POST", "/v1/predict", head, b"abcdef", length=False)).status == 400


def test_a_body_in_chunks(running_app: RunningApp) -> None:
    """It is read as any other."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (PNG[:10], PNG[10:50], PNG[50:])) + b"0\r\n\r\n"
    head = request("POST", "/v1/predict", [("Content-Type", "image/png"), ("Transfer-Encoding", "chunked")], length=False)
    check(answer := ask(running_app.port, head + chunks))
    assert answer.status == 200


@pytest.mark.parametrize("address", ["/score", "/v1/predict", "/v2/models/digits/infer"])
def test_chunks_without_an_end(running_app: RunningApp, address: str) -> None:
    """They are read up to the limit, and no further."""
    head = request("POST", address, [("Content-Type", "application/octet-stream"), ("Transfer-Encoding", "chunked")], length=False)
    piece = bytes(1024 * 1024)
    check(answer := ask(running_app.port, head + (b"%x\r\n%s\r\n" % (len(piece), piece)) * 9))
    assert answer.status == 413


def test_broken_chunks(running_app: RunningApp) -> None:
    """A body that ends in the middle of nothing is a bad request, or no answer at all."""
    head = request("POST", "/v1/predict", [("Content-Type", "image/png"), ("Transfer-Encoding", "chunked")], length=False)
    for rest in (b"zz\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b"-1\r\nabc\r\n"):
        try:
            status = ask(running_app.port, head + rest).status
        except (http.client.HTTPException, ConnectionError):
            continue
        assert status == 400


def test_a_body_that_unpacks_to_a_thousand_times_its_size(running_app: RunningApp) -> None:
    """What is compressed is held to the same limit."""
    packed = gzip.compress(bytes(100_000_000))
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    check(answer := ask(running_app.port, request("POST", "/v2/models/digits/infer", headers, packed)))
    assert answer.status == 413


def test_clients_that_stop_in_the_middle_keep_others_out_for_a_while_only(start_app: StartApp) -> None:
    """Eight send half a body and wait: after REQUEST_SECONDS others are answered again, without anybody's help."""
    with start_app(settings={"WORKERS": "2", "REQUEST_SECONDS": "1"}) as app, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(connect(app.port)).sendall(PREDICT[:-40])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _answers(app):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _answers(app: RunningApp) -> bool:
    try:
        return ask(app.port, PREDICT).status == 200
    except (http.client.HTTPException, OSError):
        return False
