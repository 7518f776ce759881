"""HTTP/1.1 as clients send it, well or badly, over real sockets."""

import contextlib
import json
import logging
import socket
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from served import BIG, CHUNKED, GET, LAST, LIMIT, PATIENCE_SECONDS, POST, TWO_HOSTS, Client, Serve, Served

from app.request_reader import HEAD_BYTES, PIECES


def test_a_connection_is_kept_for_more_requests(served: Served) -> None:
    client = Client(served)
    for path in (b"a", b"b", b"c"):
        client.send(GET % path)
        status, headers, body = client.answer()
        assert (status, json.loads(body)["PATH_INFO"], "Connection" in headers) == (200, f"/{path.decode()}", False)
        assert int(headers["Content-Length"]) == len(body) and headers["Date"].endswith("GMT")
    assert served.closed.is_set()


CHUNKS = b'2;x=y;z="w"\r\nde\r\n1\r\nf\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n'
STREAM = b"".join((GET % b"a?b=%20c", POST, b"Content-Length: 3\r\n\r\nabc", CHUNKED, CHUNKS, LAST))
TOLD = [("/a", "b=%20c", ""), ("/p", "", "abc"), ("/p", "", "def"), ("/last", "", "")]


def test_a_stream_of_requests_may_be_cut_anywhere(served: Served) -> None:
    for cut in range(len(STREAM)):
        client = Client(served, STREAM[:cut], STREAM[cut:])
        echoes = [client.echo() for _ in TOLD]
        assert [(each["PATH_INFO"], each["QUERY_STRING"], each["body"]) for each in echoes] == TOLD
        assert client.ended()
    client = Client(served, *(STREAM[at : at + 1] for at in range(len(STREAM))))
    assert client.paths(4) == [path for path, _, _ in TOLD] and client.ended()


def test_pipelined_requests_keep_their_order_while_a_thread_works(serve: Serve) -> None:
    served = serve(2)
    client = Client(served, GET % b"wait" + GET % b"b" + (GET % b"c")[:9])
    assert served.entered.wait(PATIENCE_SECONDS)
    client.send((GET % b"c")[9:] + LAST)
    other = Client(served, GET % b"other")
    assert other.paths(1) == ["/other"] and served.paths == ["/wait", "/other"]
    served.go.set()
    assert client.paths(4) == ["/wait", "/b", "/c", "/last"] and client.ended()


def test_a_connection_is_closed_where_asked_and_with_http_1_0_unless_asked(served: Served) -> None:
    for sent in (LAST, GET % b"close", LAST + GET % b"never", b"GET /a HTTP/1.0\r\n\r\n"):
        client = Client(served, sent)
        assert client.answer()[1]["Connection"] == "close" and client.ended()
    client = Client(served, b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert client.answer()[1]["Connection"] == "keep-alive"
    client.send(GET % b"b")
    assert client.paths(1) == ["/b"] and "/never" not in served.paths


def test_some_answers_have_no_body(served: Served) -> None:
    client = Client(served, b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", GET % b"204", LAST)
    assert int(client.answer(head=True)[1]["Content-Length"]) > 0
    status, headers, _ = client.answer()
    # It had said both, and a time of its own.
    assert status == 204 and not {"Content-Length", "Content-Type"} & headers.keys() and headers["Date"] != "now"
    assert client.paths(1) == ["/last"] and client.ended()


def test_who_expects_it_is_told_to_continue(served: Served) -> None:
    expects = POST + b"Content-Length: 1\r\nExpect: 100-continue\r\n\r\n"
    client = Client(served)
    for before in (b"", GET % b"before"):
        client.send(before + expects)
        assert not before or client.paths(1) == ["/before"]
        assert client.answer()[0] == 100
        client.send(b"x")
        assert client.echo()["body"] == "x"
    # Whose body is there already needs no word; who speaks HTTP/1.0 would not understand it.
    client.send(expects + b"y", expects.replace(b"1.1", b"1.0"), b"z")
    assert [client.echo()["body"] for _ in "yz"] == ["y", "z"]
    assert Client(served, expects.replace(b"h: 1", b"h: %d" % (LIMIT + 1))).answer()[0] == 413


ADDRESSES = [
    (b"/a%20b/%C3%A4%2F?c=%C3%A4&d", "/a b/\u00c3\u00a4/", "c=%C3%A4&d"),
    (b"/%FF", "/\u00ff", ""),
    (b"//a//b??c?", "//a//b", "?c?"),
    (b"http://other/a?b", "/a", "b"),
    (b"http://other", "/", ""),
    (b"*", "*", ""),
]


def test_an_address_is_told_as_wsgi_wants_it(serve: Serve) -> None:
    client = Client(serve())
    for url, path, query in ADDRESSES:
        client.send(b"OPTIONS %s HTTP/1.1\r\nHost: a\r\n\r\n" % url)
        told = client.echo()
        assert (told["PATH_INFO"], told["QUERY_STRING"], told["REQUEST_METHOD"]) == (path, query, "OPTIONS")


def test_headers_are_told_as_wsgi_wants_them(serve: Serve) -> None:
    headers = b"X-A: 1\r\nx-a:  2 \t\r\nX_A: 3\r\nX-E:\r\nX-L: \xe4\r\nContent-Type: t\r\nContent-Length: 1 \r\n\r\nb"
    told = Client(serve(), POST + headers).echo()
    names = ("HTTP_X_A", "HTTP_X_E", "HTTP_X_L", "CONTENT_TYPE", "CONTENT_LENGTH", "body", "REMOTE_ADDR")
    assert [told[name] for name in names] == ["1,2", "", "\u00e4", "t", "1", "b", "127.0.0.1"]


def test_an_upgrade_is_answered_as_if_it_were_not_asked_for(served: Served) -> None:
    asks = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    sent = POST + asks + b"Content-Length: 3\r\n\r\nabc"
    for cut in range(len(sent)):
        client = Client(served, sent[:cut], sent[cut:])
        status, headers, body = client.answer()
        assert (status, headers["Connection"], json.loads(body)["body"]) == (200, "close", "abc") and client.ended()
    assert Client(served, b"GET /old HTTP/1.0\r\n" + asks + b"\r\n").paths(1) == ["/old"]
    assert Client(served, GET.replace(b"\r\n\r\n", b"\r\n" + asks + b"\r\n") % b"a" + GET % b"b").paths(1) == ["/a"]
    assert "/b" not in served.paths


BAD_STARTS = (
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nx|PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n|GET / HTTP/2.0\r\nHost: a\r\n\r\n|"
    b"GET /\r\n\r\n|\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03|GET / HTTP/1.1\r\n\r\n|"
    b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n|GET / HTTP/1.1\nHost: a\n\n|"
    b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
).split(b"|")
BAD_HEADERS = (
    b"Host: b|Content-Length: many|Content-Length: +3|Content-Length: 99999999999999999999|Content-Length: 3, 3|"
    b"Content-Length: 3\r\nContent-Length: 4|Content-Length: 4\r\nTransfer-Encoding: chunked|"
    b"Transfer-Encoding: chunked\r\nContent-Length: 4|Transfer-Encoding: chunked, chunked|Transfer-Encoding : chunked|"
    b"X: a\r\n b|X: a\nY: b|X: a\rb|X: a\0b"
).split(b"|")
BAD_CHUNKS = b"zz\r\n|fffffffffffffffff\r\n|1\r\nabc\r\n|1\nx\n0\n\n".split(b"|")
BAD = [POST + header + b"\r\n\r\n" for header in BAD_HEADERS] + BAD_STARTS + [CHUNKED + x for x in BAD_CHUNKS]


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_request_is_refused_once_and_reaches_nothing(served: Served, bad: bytes) -> None:
    Client(served, bad + GET % b"smuggled").refused(400)
    assert served.paths == []
    client = Client(served, GET % b"before" + bad + GET % b"smuggled")
    assert client.paths(1) == ["/before"]
    client.refused(400)
    assert served.paths == ["/before"]


GZIP = POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
# Of what has no end, more than is read at once: only what comes after that is known to be too much.
ENDLESS = [
    GET[:-2] + b"X: y\r\n" * 200,
    GET[:-2] + b"X: " + b"y" * 6 * HEAD_BYTES,
    GET[:-2] + (b"X: " + b"y" * 6000 + b"\r\n") * 12 + b"\r\n",
    GET[:-2] + b"x" * 300 + b": y\r\n\r\n",
    CHUNKED + b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * 200,
    CHUNKED + b"1\r\nx\r\n0\r\nX: " + b"y" * 6 * HEAD_BYTES,
    CHUNKED + b"1;" + b"y" * 6 * HEAD_BYTES,
]


@pytest.mark.parametrize("endless", range(len(ENDLESS)))
def test_too_much_beside_a_body_is_refused(served: Served, endless: int) -> None:
    sent = ENDLESS[endless].replace(b"%s", b"")
    Client(served, sent).refused(431)
    Client(served, *(sent[at : at + 999] for at in range(0, len(sent), 999))).refused(431)
    Client(served, GET % (b"x" * 9000)).refused(414)
    Client(served, GZIP).refused(501)
    assert served.paths == []


def test_a_head_that_comes_in_two_is_as_long_as_one(served: Served) -> None:
    sent = ENDLESS[2].replace(b"%s", b"")
    client = Client(served, sent[: HEAD_BYTES - 999])
    served.until(lambda: any(each._reader.begun for each in served.connections.open))
    client.send(sent[HEAD_BYTES - 999 :])
    client.refused(431)
    assert served.paths == []


def test_a_body_may_come_in_many_pieces(served: Served) -> None:
    pieces = b"".join(b"1\r\n%c\r\n" % (97 + at % 26) for at in range(LIMIT))
    body = Client(served, CHUNKED + pieces + b"0\r\n\r\n").echo()["body"]
    assert LIMIT >= PIECES and body == "".join(chr(97 + at % 26) for at in range(LIMIT))


def test_who_is_refused_is_told_of_like_others(served: Served) -> None:
    request_id = Client(served, TWO_HOSTS).refused(400)["X-Request-ID"]
    (told,) = served.told
    assert (told.route, told.status, told.request_id) == ("-", 400, request_id)


def test_who_only_stops_to_send_gets_its_answers(served: Served) -> None:
    for path in (b"a", b"wait"):
        client = Client(served, GET % path + GET % b"b")
        client.socket.shutdown(socket.SHUT_WR)
        served.go.set()
        assert client.paths(2) == [f"/{path.decode()}", "/b"] and client.ended()
    client = Client(served, GET % b"big" + GET % b"c")
    client.socket.shutdown(socket.SHUT_WR)
    assert len(client.answer()[2]) == BIG and client.paths(1) == ["/c"] and client.ended()
    client = Client(served, (GET % b"half")[:-1])
    client.socket.shutdown(socket.SHUT_WR)
    assert client.ended() and "/half" not in served.paths


def test_a_client_that_disappears_does_no_harm(serve: Serve) -> None:
    served = serve(2)
    client = Client(served, GET % b"wait" + GET % b"b")
    assert served.entered.wait(PATIENCE_SECONDS)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client._file.close()
    client.socket.close()
    served.go.set()
    served.until(lambda: not served.connections.open)
    assert Client(served, GET % b"c").paths(1) == ["/c"]


@pytest.mark.parametrize("path", [b"raise", b"exit"])
def test_an_app_that_fails_says_so_without_its_reason(served: Served, path: bytes) -> None:
    Client(served, GET % path).refused(500)
    assert Client(served, b"HEAD /%s HTTP/1.1\r\nHost: a\r\n\r\n" % path).answer(head=True)[0] == 500
    assert Client(served, GET % b"a").paths(1) == ["/a"]


def test_the_end_lets_finish_what_was_begun(served: Served) -> None:
    idle, used, half = Client(served), Client(served, GET % b"a"), Client(served, (GET % b"half")[:9])
    assert used.paths(1) == ["/a"]
    late = Client(served, POST + b"Content-Length: 2\r\n\r\nx")
    refused = Client(served, TWO_HOSTS)
    begun = lambda: sorted(each._reader.begun for each in served.connections.open)  # noqa: E731
    served.until(lambda: begun() == [False, False, False, True, True])
    served.do(served.connections.end)
    assert idle.ended() and used.ended()
    refused.refused(400)
    half.send((GET % b"half")[9:])
    late.send(b"y" + GET % b"no")
    for client, path in ((half, "/half"), (late, "/p"), (Client(served, GET % b"new"), "/new")):
        status, headers, body = client.answer()
        assert (status, json.loads(body)["PATH_INFO"]) == (200, path)
        if path != "/p":
            assert headers["Connection"] == "close" and client.ended()


def test_the_end_waits_for_a_thread(serve: Serve) -> None:
    served = serve(2)
    client = Client(served, GET % b"wait" + GET % b"b")
    assert served.entered.wait(PATIENCE_SECONDS)
    served.do(served.connections.end)
    served.go.set()
    assert client.paths(1) == ["/wait"]
    assert client.answer()[1]["Connection"] == "close" and client.ended()


MUTATIONS = st.lists(
    st.tuples(st.integers(0, len(STREAM)), st.integers(0, 9), st.binary(max_size=3) | st.sampled_from([b"\r\n", b"0"])),
    max_size=5,
)


@settings(max_examples=150)
@given(threads=st.sampled_from([1, 2]), mutations=MUTATIONS, cuts=st.lists(st.integers(0, len(STREAM)), max_size=3))
def _survives(all_served: dict[int, Served], threads: int, mutations: list[Any], cuts: list[int]) -> None:
    stream, served = STREAM, all_served[threads]
    for at, drop, put in mutations:
        stream = stream[:at] + put + stream[at + drop :]
    client = Client(served)
    # Who asks for a close, and sends more, may meet a closed door.
    with contextlib.suppress(OSError):
        for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), None], strict=True):
            client.send(stream[begin:end])
        client.socket.shutdown(socket.SHUT_WR)
        answers = client._file.read()
        assert b" 500 " not in answers and answers.count(b"HTTP/1.1 4") <= 1
    assert Client(served, GET % b"good").paths(1) == ["/good"]
    assert served.thread.is_alive() and served.failures == []


def test_no_stream_of_requests_does_harm(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    _survives({1: serve(1), 2: serve(2)})
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
