"""The Role as it is shipped is enough for a whole life, and nothing of it can be left out."""

import asyncio
from collections.abc import Iterator

import pytest

from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.permissions import missing, rules
from nocturne.domain.errors import Broken
from nocturne.domain.strategy import StrategyKind
from nocturne.ports.cluster import Phase, Side, Stage
from tests.integration.kubernetes.conftest import Releases, Site, in_stage, watch_to_end
from tests.integration.kubernetes.manifests import config_map, manifests, with_object

pytestmark = pytest.mark.kubernetes


def lacking(api: KubernetesApi, pull_secret: str = "") -> list[str]:
    async def ask() -> list[str]:
        async with api:
            return await missing(api, pull_secret)

    return asyncio.run(ask())


def each_verb() -> Iterator[tuple[str, str, str]]:
    for rule in rules(""):
        for verb in rule.verbs:
            yield verb, rule.resource, f"{verb} {rule.title}"


def test_nothing_is_missing(api: KubernetesApi) -> None:
    """With the Role as it is shipped, nothing is missing."""
    assert lacking(api) == []


def test_pull_secret_needs_more(api: KubernetesApi) -> None:
    """Secrets are not in the Role unless the pull secret is the adapter's to bring."""
    assert lacking(api, "pull") == ["create secrets", "get secrets pull", "patch secrets pull"]


def test_each_verb_counts(site: Site) -> None:
    """A Role without any one of its verbs is told by that verb and its resource, before anything is tried."""
    whole = site.role.rules
    for verb, resource, title in each_verb():
        site.role.without(verb, resource)
        with pytest.raises(Broken) as refused:
            site.cluster().check(manifests())
        assert refused.value.message.endswith(f"in namespace {site.admin.namespace}: {title}")
        assert "Role" in refused.value.advice
        site.role.rules = whole  # what the next one is taken from


def test_all_at_once(site: Site) -> None:
    """A Role without any rule is told by everything that is lacking at once."""
    site.role.change([])
    with pytest.raises(Broken) as refused:
        site.cluster().check(manifests())
    assert all(title in refused.value.message for _, _, title in each_verb())


def test_whole_life(site: Site, release: Releases) -> None:
    """First and second release, beside and whole, retired, compared and withdrawn: the Role is enough for all of it."""
    cluster = site.cluster(StrategyKind.BLUE_GREEN)
    first = release("r-first", files=with_object(manifests(), config_map("settings", colour="red")))
    assert cluster.check(first.manifests) == []
    assert cluster.first_stage(first) is Stage.WHOLE
    site.deploy(first, StrategyKind.BLUE_GREEN)
    second = release("r-second")
    beside = in_stage(second, cluster.first_stage(second))
    assert cluster.apply(beside)
    assert watch_to_end(cluster, beside)[-1].phase is Phase.COMPLETE
    assert cluster.client(Side.NEW).get("/version").body["release"] == "r-second"
    assert cluster.client(Side.LIVE).post("/score", {"input": '["7"]'}).status == 200
    assert cluster.served(Side.LIVE) is not None
    site.deploy(second, StrategyKind.BLUE_GREEN)
    assert cluster.running() == "r-second"
    assert cluster.traffic() is not None
    assert cluster.retire(second) == ["Deployment web-blue", "ConfigMap settings"]
    assert cluster.drift(second) == []
    cluster.withdraw()
    assert cluster.running() is None
