"""What the gate lets through, asked of an engine that only remembers."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.integration.engine_gate.recorder import Recorder

pytestmark = pytest.mark.docker
Ask = Callable[[str, str], tuple[httpx.Response, list[str]]]

CONTAINER = "0123456789abcdef" * 4
ALLOWED = (
    "GET /version",
    "GET /images/python:3.11-slim-bookworm/json",
    "GET /images/localhost:5000/base/python%40sha256:0a1b/json",
    "POST /images/create?fromImage=python&tag=3.11",
    "POST /images/sha256:0a1b/tag?repo=localhost:5000/digits&tag=code-1",
    "POST /images/localhost:5000/digits/push?tag=code-1",
    "POST /build?networkmode=none&rm=True",
    "POST /containers/create?name=nocturne-trial-r-1-0a1b",
    f"POST /containers/{CONTAINER}/start",
    f"GET /containers/{CONTAINER}/json",
    "GET /containers/nocturne-trial-r-1-0a1b/json",
    f"GET /containers/{CONTAINER}/logs?stdout=1&tail=8",
    f"DELETE /containers/{CONTAINER}?force=True",
    "GET /services?filters=%7B%7D",
    "POST /services/create",
    "POST /services/abc/update?version=3",
    "DELETE /services/abc",
    "GET /tasks?filters=%7B%7D",
    "GET /networks/nocturne-swarm",
)
REFUSED = (
    # The engine and everybody's things.
    "GET /info",
    "GET /events",
    "GET /system/df",
    "GET /containers/json?all=1",
    "GET /images/json",
    "GET /volumes",
    "GET /networks",
    "GET /nodes",
    "GET /secrets",
    "GET /configs",
    # Into what runs.
    f"POST /containers/{CONTAINER}/exec",
    f"POST /exec/{CONTAINER}/start",
    f"POST /containers/{CONTAINER}/attach",
    f"GET /containers/{CONTAINER}/attach/ws",
    f"GET /containers/{CONTAINER}/archive?path=/run/secrets",
    f"PUT /containers/{CONTAINER}/archive?path=/",
    f"GET /containers/{CONTAINER}/export",
    f"GET /containers/{CONTAINER}/top",
    f"POST /containers/{CONTAINER}/update",
    f"POST /containers/{CONTAINER}/stop",
    f"POST /commit?container={CONTAINER}",
    # Other people's containers, by a name or part of an id that one could guess.
    "GET /containers/nocturne_postgres_1/json",
    "GET /containers/nocturne_postgres_1/logs?stdout=1",
    "POST /containers/nocturne_postgres_1/start",
    "DELETE /containers/nocturne_postgres_1?force=True",
    f"DELETE /containers/{CONTAINER[:12]}?force=True",
    "POST /containers/create?name=mine",
    "POST /containers/create",
    # To take away.
    "POST /containers/prune",
    "POST /images/prune",
    "POST /build/prune",
    "POST /volumes/prune",
    "DELETE /images/python:3.11",
    "DELETE /networks/nocturne-swarm",
    # To make what no release needs.
    "POST /networks/create",
    "POST /volumes/create",
    "POST /secrets/create",
    "POST /session",
    "POST /grpc",
    "POST /plugins/pull?remote=x",
    "POST /swarm/leave?force=1",
    "POST /swarm/init",
    # The same calls as ours, used for more.
    "POST /images/create?fromSrc=http://example.org/root.tar",
    "POST /images/create?fromImage=&fromSrc=-",
    "POST /images/load",
    "GET /images/python/get",
    "POST /build",
    "POST /build?networkmode=host",
    "POST /build?networkmode=none&remote=http://example.org/context.tar",
    # Ways around.
    "POST /v1.41/v1.41/swarm/leave",
    "POST //swarm/leave",
    "GET /images/../containers/json",
    "GET /images/x/%2e%2e/%2e%2e/containers/json",
    f"GET /containers/{CONTAINER}%2farchive/json",
    "GET /images/x/json/",
    "HEAD /version",
)


@pytest.mark.parametrize("prefix", ["", "/v1.41"])
@pytest.mark.parametrize("call", ALLOWED)
def test_a_call_of_ours_passes(ask: Ask, call: str, prefix: str) -> None:
    """Each call that an adapter makes gets to the engine as it is, with the version of the API before it or without."""
    method, path = call.split(" ")
    answer, asked = ask(method, f"{prefix}{path}")
    assert answer.status_code == 200
    assert asked == [f"{method} {prefix}{path.partition('?')[0]}"]


@pytest.mark.parametrize("prefix", ["", "/v1.41"])
@pytest.mark.parametrize("call", REFUSED)
def test_any_other_call_is_refused(ask: Ask, call: str, prefix: str) -> None:
    """Whatever no adapter needs never gets to the engine, and the refusal has the engine's own form."""
    method, path = call.split(" ")
    answer, asked = ask(method, f"{prefix}{path}")
    assert answer.status_code == 403
    assert asked == []
    if method != "HEAD":
        assert answer.json()["message"].startswith(f"the gate before Docker Engine refuses {method} /")


def test_nothing_is_held_back(caller: httpx.Client, recorder: Recorder) -> None:
    """The start of an upload is at the engine before its end is sent, and a line of the answer here before the next one."""

    def upload() -> Iterator[bytes]:
        yield b"context"
        assert recorder.heard.wait(30), "the gate waits for the whole upload"
        yield b"rest"

    with caller.stream("POST", "/build?networkmode=none&t=slow", content=upload()) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "first"
        recorder.told.set()
        assert next(lines) == "second"


def test_who_goes_away_is_missed(caller: httpx.Client, recorder: Recorder) -> None:
    """A caller that dies in the middle of a silent build ends the engine's connection too, so that the build ends."""
    with caller.stream("POST", "/build?networkmode=none&t=slow") as answer:
        assert next(answer.iter_lines()) == "first"
    assert recorder.left.wait(30)
