"""What users notice of bad releases: nothing. What the operator gets: the reason."""

import time

import pytest

from nocturne.ports.cluster import DesiredState, Phase, Rollout
from tests.integration.swarm.conftest import Site, in_run, wait_for_nobody, watch_to_end
from tests.load import Load

pytestmark = pytest.mark.docker


def fail_under_load(site: Site, live: DesiredState, desired: DesiredState) -> Rollout:
    """Deploy under load; check that the live release stays, without a failed request, and is complete at once."""
    with Load(site.port) as load:
        time.sleep(0.5)
        started = time.monotonic()
        assert site.cluster.apply(desired)
        seen = watch_to_end(site.cluster, desired)
        failed_after = time.monotonic() - started
        assert not site.cluster.apply(in_run(live, "restore"))
        back = watch_to_end(site.cluster, live, seconds=30)
        back_after = time.monotonic() - started
    print(f"{desired.release_id}: failed after {failed_after:.1f} s, back after {back_after:.1f} s, {load.requests} requests")
    print(seen[-1].message)
    assert load.failures == []
    assert back[-1].phase is Phase.COMPLETE
    assert site.cluster.running() == live.release_id
    assert seen[-1].phase is Phase.FAILED
    return seen[-1]


def test_never_ready(site: Site, live: DesiredState) -> None:
    """A release that never gets ready is taken back, and the health check's answer is the reason."""
    failed = fail_under_load(site, live, site.release("r-never-ready", "never-ready"))
    assert "readyz answered 503: the model has not answered yet" in failed.message
    assert "starting release r-never-ready" in failed.message


def test_crash_at_start(site: Site, live: DesiredState) -> None:
    """A release that ends at its start is taken back, and its exit code and last words are the reason."""
    failed = fail_under_load(site, live, site.release("r-crash", "crash"))
    assert "non-zero exit (1)" in failed.message
    assert "cannot read /model/model.onnx: no such file" in failed.message


def test_crash_when_ready(site: Site, live: DesiredState) -> None:
    """A release that ends soon after it got ready is taken back, and requests that it had are answered by others."""
    failed = fail_under_load(site, live, site.release("r-crash-when-ready", "crash-when-ready"))
    assert "non-zero exit (7)" in failed.message


def test_missing_image(site: Site, live: DesiredState) -> None:
    """A release whose image is not in the registry is taken back, and the message names the image."""
    desired = site.release("r-missing", "missing")
    failed = fail_under_load(site, live, desired)
    assert f"No such image: {desired.image}" in failed.message


def test_failed_first_deployment(site: Site) -> None:
    """With nothing to go back to, three failed tasks are a failure; withdrawing leaves nothing, and can be repeated."""
    site.cluster.withdraw()
    desired = site.release("r-crash", "crash")
    assert site.cluster.apply(desired)
    failed = watch_to_end(site.cluster, desired)[-1]
    print(failed.message)
    assert failed.phase is Phase.FAILED
    assert "cannot read /model/model.onnx" in failed.message
    site.cluster.withdraw()
    site.cluster.withdraw()
    assert site.cluster.running() is None
    wait_for_nobody(site)
