"""Bad releases beside the live one, where no user is sent to them: what is told of them, and that nothing of them stays."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nocturne.domain.strategy import StrategyKind
from nocturne.ports.cluster import DesiredState, Phase, Rollout, Side, Stage
from tests.integration.kubernetes.conftest import Releases, Site, fresh_site, in_run, in_stage, watch_to_end
from tests.integration.kubernetes.manifests import manifests
from tests.load import Load

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def site(kubeconfig: str) -> Iterator[Site]:
    """One for all of these tests: each leaves the live release as it found it."""
    with fresh_site(kubeconfig) as made:
        yield made


@contextmanager
def beside(site: Site, live: DesiredState, desired: DesiredState) -> Iterator[Rollout]:
    """The last look at a release beside the live one, which goes again afterwards. No user notices any of it."""
    cluster = site.cluster(StrategyKind.BLUE_GREEN)
    with Load(site.port, requests_per_second=40) as load:
        assert cluster.first_stage(desired) is Stage.BESIDE
        assert cluster.apply(desired)
        yield watch_to_end(cluster, desired)[-1]
        cluster.apply(in_run(live, "restore"))
        assert watch_to_end(cluster, live)[-1].phase is Phase.COMPLETE
        removed = cluster.retire(live)
    assert (load.failures, set(load.answers)) == ([], {live.release_id})
    assert (len(removed), cluster.running()) == (1, live.release_id)


def test_crash_loop_later(site: Site, live: DesiredState, release: Releases) -> None:
    """A release that gets ready and dies some seconds later, again and again, has failed, though Kubernetes would try for ever."""
    desired = release("r-crash-later", "crash-when-ready", crash_after=2, files=manifests(min_ready=8))
    with beside(site, live, in_stage(desired, Stage.BESIDE)) as last:
        assert (last.phase, last.blameless) == (Phase.FAILED, False)
        assert "the model's worker has died" in last.message
        assert last.restarts >= 1


def test_wrong_answers(site: Site, live: DesiredState, release: Releases) -> None:
    """A release that is ready and wrong is complete beside the live one, where only we ask it."""
    with beside(site, live, in_stage(release("r-wrong", "wrong"), Stage.BESIDE)) as last:
        assert last.phase is Phase.COMPLETE
        client = site.cluster(StrategyKind.BLUE_GREEN).client(Side.NEW)
        assert client.get("/version").body["release"] == "r-wrong"
        assert client.post("/score", {"input": '["7abc"]'}).body["result"][0] == [[["?", 99.0]]]
