"""The app's memory after many requests."""

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.app.bodies import MULTIPART, binary_images, multipart, tensor
from tests.app.conftest import Golden
from tests.app.raw_http import connect, receive_all, request
from tests.app.running_app import RunningApp

WARM_UP = 20_000
REQUESTS = 100_000
CLIENTS = 4
ROUND = 50
"""Requests that one client sends before it reads the answers: so its own work is small."""

TOLERANCE = 6_000_000
"""Bytes, of all worker processes together: 75 for each request between the two looks. One kept answer would be several hundred."""

JSON = [("Content-Type", "application/json")]
INFER = "/v2/models/digits/infer"


@pytest.mark.timeout(900)
def test_memory_does_not_grow_with_requests(running_app: RunningApp, golden: list[Golden]) -> None:
    """After a hundred thousand good and bad requests to all addresses the workers hold what they held after the first ones."""
    statuses = _send(running_app, golden, WARM_UP)
    before = _memory(running_app)
    statuses += _send(running_app, golden, REQUESTS - WARM_UP)
    after = _memory(running_app)
    assert statuses.total() == REQUESTS
    assert not any(status >= 500 for status in statuses), statuses
    assert statuses[200] > REQUESTS / 2
    assert before.keys() == after.keys(), "a worker was replaced"
    assert sum(after.values()) - sum(before.values()) < TOLERANCE, (before, after)


def _send(app: RunningApp, golden: list[Golden], count: int) -> Counter[int]:
    """Send as many requests, over several connections at a time, and count the answers by status."""
    rounds = iter(range(count // ROUND))
    statuses: list[int] = []
    failures: list[BaseException] = []

    def client() -> None:
        try:
            with connect(app.port) as connection:
                # An iterator of range may be shared: taking its next number is one step.
                for place in rounds:
                    connection.sendall(b"".join(_round(golden, place)))
                    statuses.extend(answer.status for answer in receive_all(connection, ROUND))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    return Counter(statuses)


def _round(golden: list[Golden], place: int) -> list[bytes]:
    """The requests of one round: mostly good ones, each round with addresses, ids and images of its own."""
    image = golden[place % len(golden)].image
    own = [("Content-Type", "image/png"), ("X-Request-ID", f"round-{place}")]
    head, rest = binary_images()
    binary = [("Content-Type", "application/octet-stream"), ("Inference-Header-Content-Length", str(len(head)))]
    good = [
        *[request("POST", f"/v1/predict?top={1 + place % 10}", own, image)] * 28,
        request("POST", "/v1/predict", [("Content-Type", MULTIPART)], multipart()),
        request("POST", INFER, JSON, json.dumps(tensor()).encode()),
        request("POST", INFER, binary, head + rest),
        *(request("GET", address) for address in ("/", "/healthz", "/readyz", "/version", "/v2", "/v2/models/digits")),
        request("GET", ("/metrics", "/docs", "/openapi.json", "/docs/reference.css")[place % 4]),
    ]
    bad = [
        request("POST", "/v1/predict", own, image[: place % len(image)]),
        request("POST", "/v1/predict", own, b"no image"),
        request("POST", "/v1/predict?top=0", own, image),
        request("POST", "/v1/predict", [("Content-Type", "text/plain")], image),
        request("POST", "/v1/predict", [("Content-Type", MULTIPART)], multipart()[:-60]),
        request("POST", "/score", JSON, b'{"input": "['),
        request("POST", "/score", JSON, b"[" * 1000),
        request("POST", INFER, JSON, b'{"inputs": []}'),
        request("POST", INFER, binary, head),
        request("POST", f"/v2/models/other-{place}/infer", JSON, b"{}"),
        request("GET", f"/nowhere/{place}"),
        request("DELETE", "/v1/predict"),
    ]
    return [*good, *bad]


def _memory(app: RunningApp) -> dict[int, int]:
    """Return each worker's memory in bytes that no file backs.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    """
    told = {}
    for worker in app.workers():
        lines = Path(f"/proc/{worker}/status").read_text().splitlines()
        told[worker] = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
    return told
