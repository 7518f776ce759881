"""Bad releases: users notice nothing, and the operator is told the reason, and whether the release is to blame."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nocturne.domain.strategy import StrategyKind
from nocturne.ports.cluster import DesiredState, Phase, Rollout, Side, Stage
from tests.integration.kubernetes.conftest import Releases, Site, fresh_site, in_run, in_stage, watch_for, watch_to_end
from tests.integration.kubernetes.manifests import manifests
from tests.load import Load

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def site(kubeconfig: str) -> Iterator[Site]:
    """One for all of these tests: each leaves the live release as it found it."""
    with fresh_site(kubeconfig) as made:
        yield made


@pytest.fixture
def live(site: Site, release: Releases) -> DesiredState:
    """A good release that users get."""
    desired = release("r-live")
    site.deploy(desired)
    return desired


@contextmanager
def users(site: Site, live: DesiredState) -> Iterator[None]:
    """Users' requests meanwhile: none fails, and the live release answers them all."""
    with Load(site.port, requests_per_second=40) as load:
        yield
        time.sleep(0.5)
    assert load.failures == []
    assert set(load.answers) == {live.release_id}


def last_of(site: Site, live: DesiredState, desired: DesiredState, strategy: StrategyKind = StrategyKind.ROLLING) -> Rollout:
    """Deploy a bad release with users about, see it fail, put the live one back; the last look at it."""
    return looks_at(site, live, desired, strategy=strategy)[-1]


def hindered(site: Site, live: DesiredState, desired: DesiredState, word: str) -> Rollout:
    """Deploy a release that something is in the way of, until a look says that word and for some seconds more, in which it does
    not fail; put the live one back. The last look that says it.
    """
    seen = looks_at(site, live, desired, word)
    assert {look.phase for look in seen} == {Phase.PROGRESSING}
    told = [look for look in seen if word in look.message]
    assert told, f"nobody said {word!r}: {seen}"
    return told[-1]


def looks_at(
    site: Site, live: DesiredState, desired: DesiredState, word: str = "", strategy: StrategyKind = StrategyKind.ROLLING
) -> list[Rollout]:
    """word: after the first look that says it, the release is watched for a few seconds more; empty for one that is to end."""
    cluster = site.cluster(strategy)
    with users(site, live):
        started = time.monotonic()
        assert cluster.apply(desired)
        seen = watch_for(cluster, desired, 60, lambda look: bool(word) and word in look.message)
        failed_after = time.monotonic() - started
        cluster.apply(in_run(live, "restore"))
        back = watch_to_end(cluster, live)
        cluster.retire(live)
    print(f"{desired.release_id}: {failed_after:.1f} s, back {time.monotonic() - started - failed_after:.1f} s", *seen, sep="\n  ")
    assert back[-1].phase is Phase.COMPLETE
    assert cluster.running() == live.release_id
    return seen


def test_image_missing(site: Site, live: DesiredState, release: Releases) -> None:
    """An image that the registry does not have is not the release's fault, and is named."""
    desired = release("r-missing", "missing")
    assert hindered(site, live, desired, desired.image).blameless


def test_crash_at_start(site: Site, live: DesiredState, release: Releases) -> None:
    """A release that ends at its start has failed, and its last words are the reason."""
    last = last_of(site, live, release("r-crash", "crash"))
    assert (last.phase, last.blameless) == (Phase.FAILED, False)
    assert "cannot read /model/model.onnx: no such file" in last.message


def test_never_ready(site: Site, live: DesiredState, release: Releases) -> None:
    """A release that never gets ready has failed when its own deadline has passed, and the probe's answer is the reason."""
    last = last_of(site, live, release("r-never-ready", "never-ready", files=manifests(deadline=6)))
    assert (last.phase, last.blameless) == (Phase.FAILED, False)
    # A kubelet with much to tell holds events back: it sends five a second at most.
    assert "Readiness probe failed: HTTP probe failed with statuscode: 503" in last.message or "not ready yet" in last.message


def test_crash_loop_later(site: Site, live: DesiredState, release: Releases) -> None:
    """A release that gets ready and dies some seconds later, again and again, has failed, though Kubernetes would try for ever."""
    desired = release("r-crash-later", "crash-when-ready", crash_after=2, files=manifests(min_ready=8))
    # Users are sent to whatever is ready, so only a release beside the live one can die without their notice.
    last = last_of(site, live, in_stage(desired, Stage.BESIDE), strategy=StrategyKind.BLUE_GREEN)
    assert (last.phase, last.blameless) == (Phase.FAILED, False)
    assert "the model's worker has died" in last.message
    assert last.restarts >= 1


def test_out_of_memory(site: Site, live: DesiredState, release: Releases) -> None:
    """A release that needs more memory than its limit has failed, and the limit is the reason."""
    last = last_of(site, live, release("r-hungry", "out-of-memory"))
    assert (last.phase, last.blameless) == (Phase.FAILED, False)
    assert "memory" in last.message.lower()


def test_quota_exceeded(site: Site, live: DesiredState, release: Releases) -> None:
    """A used-up quota is not the release's fault, and is named."""
    quota = {"metadata": {"name": "two-pods"}, "spec": {"hard": {"pods": "2"}}}
    site.admin.create("resourcequotas", quota)
    try:
        last = hindered(site, live, release("r-quota"), "exceeded quota: two-pods")
    finally:
        site.admin.delete("resourcequotas", "two-pods")
    assert last.blameless


def test_no_room(site: Site, live: DesiredState, release: Releases) -> None:
    """A node without room is not the release's fault, and what is lacking is named."""
    assert hindered(site, live, release("r-huge", files=manifests(cpu="64")), "Insufficient cpu").blameless


def test_wrong_answers(site: Site, live: DesiredState, release: Releases) -> None:
    """A release that is ready and wrong is complete beside the live one, where only we ask it; then nothing of it stays."""
    cluster = site.cluster(StrategyKind.BLUE_GREEN)
    desired = in_stage(release("r-wrong", "wrong"), Stage.BESIDE)
    with users(site, live):
        assert cluster.first_stage(desired) is Stage.BESIDE
        assert cluster.apply(desired)
        assert watch_to_end(cluster, desired)[-1].phase is Phase.COMPLETE
        assert cluster.client(Side.NEW).get("/version").body["release"] == "r-wrong"
        assert cluster.client(Side.NEW).post("/score", {"input": '["7abc"]'}).body["result"][0] == [[["?", 99.0]]]
        cluster.apply(in_run(live, "restore"))
        assert watch_to_end(cluster, live)[-1].phase is Phase.COMPLETE
        removed = cluster.retire(live)
    assert len(removed) == 1
    assert cluster.running() == live.release_id
