"""What stands ahead of Flask, for all answers alike."""

import os
import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.drain import DrainFlag
from app.exchange import Answer, Call, Ended, Route
from app.front import Front
from app.limits import Limits
from app.problems import Problem
from app.watch import Waits

LIMIT = 100


class Heard:
    def __init__(self) -> None:
        self.all: list[Ended] = []

    def ended(self, ended: Ended) -> None:
        self.all.append(ended)


def answer(call: Call) -> Answer:
    if call.body == b"wrong":
        raise Problem(400, "found wrong; expected right", right="right")
    if call.body == b"broken":
        raise ValueError("the secret reason")
    return Answer(call.body, headers=(("X-More", call.query("more") or "none"),))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def front(leaving: DrainFlag, heard: Heard, waits: Waits) -> FlaskClient:
    app = Flask(__name__)
    app.add_url_rule("/slow", "slow", lambda: "by Flask")
    routes = [Route("/fast/{name}", "/fast/this", answer)]
    front = Front(app.wsgi_app, routes, leaving, "r-1", Limits(body_bytes=LIMIT), waits)
    front.observers.append(heard)
    app.wsgi_app = front  # type: ignore[method-assign]
    return app.test_client()


def test_a_fast_route_is_answered(front: FlaskClient, heard: Heard) -> None:
    got = front.post("/fast/this?more=much&more=less", data=b"something")
    assert (got.status_code, got.data, got.headers["X-More"]) == (200, b"something", "much")
    (ended,) = heard.all
    assert (ended.route, ended.path, ended.method, ended.status) == ("/fast/{name}", "/fast/this", "POST", 200)
    assert (ended.bytes_in, ended.bytes_out, ended.error, ended.waited) == (9, 9, None, 0)
    assert ended.seconds > 0


def test_all_else_is_flasks(front: FlaskClient, heard: Heard) -> None:
    assert front.get("/slow").data == b"by Flask"
    assert front.get("/nowhere").status_code == 404
    assert [(ended.status, ended.bytes_out > 0) for ended in heard.all] == [(200, True), (404, True)]


@pytest.mark.parametrize("path", ["/slow", "/nowhere", "/fast/this"])
def test_every_answer_tells_its_release_and_its_request(front: FlaskClient, path: str) -> None:
    got = front.post(path, headers={"X-Request-ID": "abc-1"})
    assert (got.headers["X-Release"], got.headers["X-Request-ID"]) == ("r-1", "abc-1")
    assert got.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("told", [None, "a" * 129, "ä", "a\x1bb"])
def test_a_request_without_an_id_of_use_gets_one(front: FlaskClient, told: str | None) -> None:
    environ = {} if told is None else {"HTTP_X_REQUEST_ID": told}
    ids = {front.get("/slow", environ_overrides=environ).headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3 and all(len(found) == 32 for found in ids)


def test_a_problem_has_one_shape(front: FlaskClient) -> None:
    got = front.post("/fast/this", data=b"wrong", headers={"X-Request-ID": "abc-1"})
    assert (got.status_code, got.content_type) == (400, "application/problem+json")
    assert got.get_json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "found wrong; expected right",
        "error": "found wrong; expected right",
        "request_id": "abc-1",
        "right": "right",
    }


def test_a_failure_tells_its_reason_to_the_log_alone(front: FlaskClient, heard: Heard) -> None:
    got = front.post("/fast/this", data=b"broken")
    assert got.status_code == 500
    assert b"secret" not in got.data
    assert "the secret reason" in (heard.all[0].error or "")
    assert front.post("/fast/this", data=b"right").status_code == 200


@pytest.mark.parametrize(("method", "status"), [("GET", 405), ("PUT", 405), ("OPTIONS", 204)])
def test_other_methods_learn_which_there_are(front: FlaskClient, method: str, status: int) -> None:
    got = front.open("/fast/this", method=method)
    assert (got.status_code, got.headers["Allow"]) == (status, "POST, OPTIONS")


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"data": b"x" * (LIMIT + 1)}, 413, "found 101 bytes"),
        ({"environ_overrides": {"CONTENT_LENGTH": "many"}}, 400, "found Content-Length: many"),
        ({"data": b"x", "environ_overrides": {"CONTENT_LENGTH": "5"}}, 400, "found a body of 1 bytes; expected 5"),
        (
            {
                "data": b"x" * (LIMIT + 1),
                "environ_overrides": {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"},
            },
            413,
            "found a longer one",
        ),
    ],
)
def test_a_body_is_read_within_its_limit(front: FlaskClient, more: dict[str, Any], status: int, said: str) -> None:
    got = front.post("/fast/this", **more)
    assert got.status_code == status
    assert said in got.get_json()["detail"]


def test_a_body_in_chunks_is_read(front: FlaskClient) -> None:
    environ = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert front.post("/fast/this", data=b"x" * LIMIT, environ_overrides=environ).data == b"x" * LIMIT


def test_connections_are_closed_once_the_app_leaves(front: FlaskClient, leaving: DrainFlag) -> None:
    leaving.raise_()
    assert [front.open(path).headers["Connection"] for path in ("/slow", "/fast/this")] == ["close", "close"]


def test_requests_are_refused_while_others_wait_too_long(front: FlaskClient, heard: Heard, waits: Waits) -> None:
    waits.note(os.getpid(), 10.3)
    got = front.post("/fast/this", data=b"x")
    assert (got.status_code, got.headers["Retry-After"]) == (503, "11")
    assert got.get_json()["detail"].startswith("the app is busy: requests wait 10.3 s, expected 5 s at most")
    assert front.get("/slow").status_code == 200
    waits.note(os.getpid(), 1.9)
    assert front.post("/fast/this", data=b"x").status_code == 200
    assert heard.all[-1].waited == 1.9
    waits.note(os.getpid(), 0.0)
    waits.note(os.getpid() + 1, 99)
    assert front.post("/fast/this", data=b"x").status_code == 200, "another worker is behind"


def test_the_watch_gets_through_when_others_are_refused(leaving: DrainFlag, heard: Heard, waits: Waits) -> None:
    app = Flask(__name__)
    front = Front(app.wsgi_app, [Route("", "/watch", answer)], leaving, "r-1", Limits(), waits)
    front.observers.append(heard)
    app.wsgi_app = front  # type: ignore[method-assign]
    waits.note(os.getpid(), 60)
    assert app.test_client().post("/watch", data=b"x").status_code == 200
    assert heard.all == []


def test_a_worker_is_busy_while_it_answers(leaving: DrainFlag, waits: Waits) -> None:
    stuck = []

    def look(call: Call) -> Answer:
        stuck.append(waits.stuck(0))
        return Answer(b"")

    app = Flask(__name__)
    app.wsgi_app = Front(app.wsgi_app, [Route("/a", "/a", look)], leaving, "r-1", Limits(), waits)  # type: ignore[method-assign]
    app.test_client().post("/a")
    app.test_client().post("/nowhere")
    assert (stuck, waits.stuck(0)) == ([[os.getpid()]], [])


def test_a_worker_is_as_busy_as_the_busiest_of_its_threads(leaving: DrainFlag, waits: Waits) -> None:
    begun, end = threading.Event(), threading.Event()

    def hang(call: Call) -> Answer:
        begun.set()
        end.wait()
        return Answer(b"")

    app = Flask(__name__)
    app.wsgi_app = Front(app.wsgi_app, [Route("/a", "/a", hang)], leaving, "r-1", Limits(), waits)  # type: ignore[method-assign]
    other = threading.Thread(target=lambda: app.test_client().post("/a"))
    other.start()
    begun.wait()
    app.test_client().get("/nowhere")
    assert waits.stuck(0) == [os.getpid()]
    end.set()
    other.join()
    assert waits.stuck(0) == []
