"""What is read of pods' answers: the app's own counters, and whether the app answered at all."""

import asyncio
import json
from typing import Any, cast

import pytest

from nocturne.adapters.kubernetes.api import KubernetesApi, Listing, ProxyAnswer
from nocturne.adapters.kubernetes.counters import counted, read_traffic
from nocturne.adapters.kubernetes.pod_answer import server_refusal
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Counters, Traffic
from tests.unit.adapters.kubernetes.cluster_objects import pod

METRICS = """\
# HELP http_requests_total Requests answered.
# TYPE http_requests_total counter
http_requests_total{route="/score",status="200"} 40.0
http_requests_total{route="/score",status="415"} 2.0
http_requests_total{route="/score",status="500"} 3.0
http_requests_total{route="/version",status="503"} 1.0
http_requests_total{route="/readyz",status="503"} 900.0
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_count{route="/score"} 45.0
"""


def test_counted() -> None:
    """All requests of users are summed up, those with a 5xx as failed; what the cluster itself asks is left out."""
    assert read_traffic(METRICS) == Traffic(requests=46, failed=4)


def test_nothing_counted_yet() -> None:
    """A counter without a sample counts nothing, and is there."""
    assert read_traffic("# TYPE http_requests_total counter\n") == Traffic(0, 0)


def test_not_declared() -> None:
    """A counter whose type is not told counts all the same."""
    assert read_traffic('http_requests_total{status="500"} 2\n') == Traffic(2, 2)


@pytest.mark.parametrize("text", ["", "# TYPE other_total counter\nother_total 7\n", "http_requests 7\n"])
def test_not_told(text: str) -> None:
    """Metrics without the counter tell nothing."""
    assert read_traffic(text) is None


@pytest.mark.parametrize("text", ["<html></html>", 'http_requests_total{status="200" 5', "{"])
def test_not_the_format(text: str) -> None:
    """Anything but the text format is an error, not zero requests."""
    with pytest.raises(ValueError):  # noqa: PT011 the parser's messages are its own
        read_traffic(text)


STATUS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "dial tcp: refused", "code": 500}


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (500, json.dumps(STATUS), "dial tcp: refused"),
        (404, json.dumps({**STATUS, "message": 'pods "web-1" not found'}), 'pods "web-1" not found'),
        (503, "Error trying to reach service: 'EOF'", "Error trying to reach service: 'EOF'"),
        (500, '{"error": "the model is broken"}', ""),
        (503, "the model has not answered yet", ""),
        (500, "[]", ""),
        (200, json.dumps(STATUS), ""),
    ],
)
def test_who_answered(status: int, body: str, refusal: str) -> None:
    """An error of the app is its answer; one of the API server says that the app was not reached."""
    assert server_refusal(ProxyAnswer(status, body.encode())) == refusal


class Pods:
    """An API server of which only running pods and what each answers are asked."""

    def __init__(self, answers: dict[str, ProxyAnswer], pods: list[dict[str, Any]]) -> None:
        self.answers, self.pods = answers, pods

    async def list(self, kind: str, selector: str) -> Listing:
        return Listing(self.pods, "1")

    async def proxy(self, name: str, port: int, method: str, path: str) -> ProxyAnswer:
        return self.answers[name]


def answered(status: int = 200, text: str = METRICS) -> ProxyAnswer:
    return ProxyAnswer(status, text.encode())


def found(first: ProxyAnswer, second: ProxyAnswer, restarts: int = 0) -> tuple[Counters | None, list[str]]:
    """What two pods tell, and the log."""
    lines: list[str] = []
    pods = Pods({"web-new-1": first, "web-new-2": second}, [pod(1, ready=True), pod(2, ready=True, restarts=restarts)])
    return asyncio.run(counted(cast(KubernetesApi, pods), "app=web", 8080, lines.append)), lines


def test_each_pod_by_itself() -> None:
    """Pods are told apart, and a pod's counters before and after a restart of its container as well."""
    assert found(answered(), answered(), restarts=2) == ({"new-1/0": Traffic(46, 4), "new-2/2": Traffic(46, 4)}, [])


def test_one_that_cannot_be_asked() -> None:
    """Its numbers are not known, which is not the same as none."""
    counters, lines = found(answered(), ProxyAnswer(500, json.dumps(STATUS).encode()))
    assert counters == {"new-1/0": Traffic(46, 4), "new-2/0": None}
    assert lines == ["no count of users' requests: web-new-2: dial tcp: refused"]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (answered(401, "who are you?"), "GET /metrics of pod web-new-1 answered 401, expected 200"),
        (answered(403, "{}"), "GET /metrics of pod web-new-1 answered 403, expected 200"),
        (answered(200, "<html></html>"), "GET /metrics of pod web-new-1 gave no Prometheus text"),
        (ProxyAnswer(200, b"\xff\xfe"), "GET /metrics of pod web-new-1 gave no Prometheus text"),
        (answered(404, ""), ""),
    ],
)
def test_metrics_of_somebody_else(answer: ProxyAnswer, line: str) -> None:
    """A path that is not there, or that serves something else, tells nothing and breaks nothing; the log says what was found."""
    counters, lines = found(answer, answer)
    assert counters is None
    assert any(line in told for told in lines) if line else not lines


def test_nobody_can_be_asked() -> None:
    """That is no answer of an app, and worth another try."""
    refused = ProxyAnswer(500, json.dumps(STATUS).encode())
    with pytest.raises(Broken, match="no pod can be asked for /metrics: web-new-1: dial tcp: refused; web-new-2: dial"):
        found(refused, refused)
