"""Asking the pods of one side through a real API server."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.counters import counted
from nocturne.adapters.kubernetes.sides import PodClient
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Counters, Phase
from nocturne.steps.traffic import Asked, between
from tests.gate import Gate, GateInAThread
from tests.integration.kubernetes.conftest import Releases, Site, watch_to_end
from tests.integration.kubernetes.manifests import NAME

pytestmark = pytest.mark.kubernetes
SELECTOR = f"app={NAME}"


def open_api(site: Site) -> KubernetesApi:
    return KubernetesApi(site.role.access, site.admin.namespace)


def served(site: Site, selector: str = SELECTOR, port: int = 8080) -> Counters | None:
    async def count() -> Counters | None:
        async with open_api(site) as api:
            return await counted(api, selector, port, print)

    return asyncio.run(count())


class CountingGate(Gate):
    """accepted: how many connections came."""

    accepted = 0

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        await super()._pass(reader, writer)


class CountingGateInAThread(GateInAThread):
    """An open gate that counts."""

    def __init__(self, kubeconfig: dict[str, Any]) -> None:
        super().__init__(kubeconfig)
        self._gate: CountingGate = CountingGate(kubeconfig)

    @property
    def accepted(self) -> int:
        """How many connections came."""
        return self._gate.accepted


@pytest.fixture
def client(site: Site, release: Releases) -> Iterator[PodClient]:
    """A client of a good release's pods."""
    site.deploy(release("r-one"))
    opened = PodClient(lambda: open_api(site), SELECTOR, 8080)
    yield opened
    opened.close()


def test_in_turn(site: Site, client: PodClient) -> None:
    """JSON goes both ways, every pod is asked in turn, and what they answered is what they have counted."""
    assert client.get("/version").body == {"release": "r-one", "model_digest": ""}
    answer = client.post("/score", {"input": '["7abc"]'})
    assert (answer.status, answer.body["result"][0]) == (200, [[["7", 99.0]]])
    assert 0 < answer.seconds < 5
    before = served(site)
    for _ in range(10):
        assert client.get("/version").status == 200
    after = served(site)
    assert between(before, after) == Asked(10, 0, counters=2)


def test_one_connection(site: Site, release: Releases) -> None:
    """Requests share a connection."""
    site.deploy(release("r-one"))
    with CountingGateInAThread(site.role.kubeconfig) as gate:
        access = Access(gate.kubeconfig, None, site.role.token)
        client = PodClient(lambda: KubernetesApi(access, site.admin.namespace), SELECTOR, 8080)
        assert client.get("/version").status == 200
        before = gate.accepted
        for _ in range(40):
            assert client.get("/version").status == 200
        assert gate.accepted == before > 0
        client.close()


def test_pod_that_goes(site: Site, client: PodClient) -> None:
    """While pods are replaced under the client, every request is answered by one that is there."""
    client.get("/version")
    gone = sorted(site.admin.names("pods"))[0]
    site.admin.delete("pods", gone)
    deadline = time.monotonic() + 180
    while gone in site.admin.names("pods"):
        assert client.get("/version").status == 200
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_errors_of_the_app(site: Site, release: Releases) -> None:
    """A 5xx by the app itself is an answer, and is counted as failed."""
    desired = release("r-errors", "errors")
    site.cluster().apply(desired)
    assert watch_to_end(site.cluster(), desired)[-1].phase is Phase.COMPLETE
    client = PodClient(lambda: open_api(site), SELECTOR, 8080)
    assert client.post("/score", {"input": "[]"}).status == 500
    assert client.get("/nowhere").body == "no such path"
    found = between({}, served(site))
    assert found is not None
    assert (found.requests, found.failed) == (2, 1)
    client.close()


def test_slow_app(site: Site, release: Releases) -> None:
    """A pod that does not answer in time has failed the request: the cluster is not to blame."""
    site.deploy(release("r-slow", "slow"))
    client = PodClient(lambda: open_api(site), SELECTOR, 8080, timeout=0.15)
    answer = client.post("/score", {"input": "[]"})
    assert (answer.status, answer.body) == (599, "no answer within 0.15 s")
    client.close()


def test_nobody_ready(site: Site, release: Releases) -> None:
    """A side without a ready pod cannot be asked, and a port on which nobody listens names every pod."""
    site.cluster().apply(release("r-never", "never-ready"))
    with pytest.raises(Broken, match="found no ready pod of app=web"):
        PodClient(lambda: open_api(site), SELECTOR, 8080)
    with pytest.raises(Broken, match="found no running pod of app=nothing"):
        served(site, "app=nothing")


def test_wrong_port(site: Site, client: PodClient) -> None:
    """Pods that cannot be reached are told one by one."""
    wrong = PodClient(lambda: open_api(site), SELECTOR, 8099)
    with pytest.raises(Broken, match=r"no pod of app=web can be reached: web-.*connection refused; web-.*connection refused\n"):
        wrong.get("/version")
    wrong.close()
    with pytest.raises(Broken, match="no pod can be asked for /metrics"):
        served(site, port=8099)


def test_no_metrics(site: Site, release: Releases) -> None:
    """An app that counts nothing tells nothing."""
    site.deploy(release("r-silent", "no-metrics"))
    assert served(site) is None
