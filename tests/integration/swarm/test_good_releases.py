"""What users notice of good releases: nothing."""

import time

import httpx
import pytest

from nocturne.ports.cluster import DesiredState, Phase
from nocturne.steps.traffic import Asked, between
from tests.integration.swarm.conftest import Site, wait_for_nobody, watch_to_end
from tests.load import Load

pytestmark = pytest.mark.docker


def test_first_deployment(site: Site) -> None:
    """While there is nothing the front door answers 503; once the first deployment is complete, the release answers."""
    site.cluster.withdraw()
    wait_for_nobody(site)
    assert site.cluster.running() is None
    desired = site.release("r-good", "good")
    started = time.monotonic()
    assert site.cluster.apply(desired)
    seen = watch_to_end(site.cluster, desired)
    print(f"first deployment: {time.monotonic() - started:.1f} s")
    assert (seen[-1].phase, seen[-1].ready, seen[-1].wanted) == (Phase.COMPLETE, 2, 2)
    assert site.cluster.running() == "r-good"
    assert httpx.get(site.cluster.public_url()).text == "r-good"


def test_update_loses_no_request(site: Site, live: DesiredState) -> None:
    """A good update under load is complete when only the new release answers, and no request fails."""
    desired = site.release("r-good-update", "good")
    before = site.cluster.traffic()
    with Load(site.port) as load:
        time.sleep(1)
        started = time.monotonic()
        assert site.cluster.apply(desired)
        seen = watch_to_end(site.cluster, desired)
        took = time.monotonic() - started
        settled = load.answers[live.release_id]
        time.sleep(1)
    print(f"update: {took:.1f} s, {load.requests} requests", *seen, sep="\n  ")
    assert load.failures == []
    assert seen[-1].phase is Phase.COMPLETE
    assert load.answers[live.release_id] == settled
    assert between(before, site.cluster.traffic()) == Asked(load.requests, 0)
