"""A release beside the live one: in the other slot, or as a share of the main one."""

import time

import pytest

from nocturne.domain.errors import Broken
from nocturne.domain.strategy import StrategyKind
from nocturne.ports.cluster import Cluster, DesiredState, Phase, Side, Stage
from tests.integration.kubernetes.admin import Admin
from tests.integration.kubernetes.conftest import Releases, Site, in_stage, watch_to_end
from tests.integration.kubernetes.manifests import NAME, manifests
from tests.integration.kubernetes.test_apply import found
from tests.integration.kubernetes.test_apply import release as unseen
from tests.load import Load

pytestmark = pytest.mark.kubernetes


def carry_out(cluster: Cluster, desired: DesiredState, stage: Stage) -> None:
    cluster.apply(in_stage(desired, stage))
    last = watch_to_end(cluster, in_stage(desired, stage))[-1]
    assert last.phase is Phase.COMPLETE, last


def slot(admin: Admin) -> str:
    return str(found(admin, "services")["spec"]["selector"]["nocturne.io/slot"])


def test_blue_green(site: Site, admin: Admin, release: Releases) -> None:
    """The new release gets ready in the other slot while users get the live one; one step switches them, without a lost request."""
    cluster = site.cluster(StrategyKind.BLUE_GREEN)
    first, second = release("r-first"), release("r-second")
    assert cluster.first_stage(first) is Stage.WHOLE
    carry_out(cluster, first, Stage.WHOLE)
    assert cluster.first_stage(second) is Stage.BESIDE
    site.wait_for_users()
    with Load(site.port) as load:
        carry_out(cluster, second, Stage.BESIDE)
        assert (slot(admin), cluster.running()) == ("blue", "r-first")
        assert cluster.client(Side.NEW).get("/version").status == 200
        carry_out(cluster, second, Stage.WHOLE)
        assert (slot(admin), cluster.running()) == ("green", "r-second")
        assert admin.names("deployments") == {f"{NAME}-blue", f"{NAME}-green"}
        # Back at once, to the Deployment that was kept.
        carry_out(cluster, first, Stage.WHOLE)
        assert (slot(admin), cluster.running()) == ("blue", "r-first")
        assert cluster.retire(second) == []
        carry_out(cluster, second, Stage.WHOLE)
        # What is retired serves on for some seconds only, and the node's proxy may be late.
        site.wait_for_users("r-second")
        assert cluster.retire(second) == [f"Deployment {NAME}-blue"]
        time.sleep(1)
    assert load.failures == []
    assert cluster.first_stage(second) is Stage.WHOLE
    assert cluster.retire(second) == []


def test_canary(site: Site, admin: Admin, release: Releases) -> None:
    """A canary takes its share beside the live release; it leaves at once when the live one is asked for, and else is retired."""
    cluster = site.cluster(StrategyKind.CANARY)
    first, second = release("r-first"), release("r-second")
    carry_out(cluster, first, Stage.WHOLE)
    assert cluster.first_stage(second) is Stage.SHARE
    carry_out(cluster, second, Stage.SHARE)
    assert found(admin, "deployments", f"{NAME}-canary")["spec"]["replicas"] == 1
    assert cluster.running() == "r-first"
    assert cluster.apply(first)
    assert admin.names("deployments") == {NAME}
    carry_out(cluster, second, Stage.SHARE)
    carry_out(cluster, second, Stage.WHOLE)
    assert cluster.running() == "r-second"
    assert admin.names("deployments") == {NAME, f"{NAME}-canary"}
    assert cluster.retire(second) == [f"Deployment {NAME}-canary"]


def test_another_strategy(site: Site, admin: Admin) -> None:
    """A changed strategy begins beside the slot that users get, and leaves a release that they have already where it is."""
    first, second = unseen("r-1"), unseen("r-2")
    site.cluster(StrategyKind.BLUE_GREEN).apply(first)
    cluster = site.cluster(StrategyKind.ROLLING)
    assert not cluster.apply(first)
    assert cluster.first_stage(second) is Stage.BESIDE
    cluster.apply(in_stage(second, Stage.BESIDE))
    assert (slot(admin), cluster.running()) == ("blue", "r-1")
    cluster.apply(second)
    assert (slot(admin), cluster.running()) == ("main", "r-2")
    assert cluster.retire(second) == [f"Deployment {NAME}-blue"]


def test_switch_without_a_slot(site: Site, admin: Admin) -> None:
    """Users are never switched to a slot in which the release is not."""
    cluster = site.cluster(StrategyKind.BLUE_GREEN)
    cluster.apply(unseen("r-1"))
    with pytest.raises(Broken, match=f"found no Deployment {NAME}-green with release r-2"):
        cluster.apply(unseen("r-2"))
    assert cluster.running() == "r-1"
    assert admin.names("deployments") == {f"{NAME}-blue"}


def test_scaled_live_release(site: Site, admin: Admin) -> None:
    """The other slot is made as large as somebody has made the live one."""
    cluster = site.cluster(StrategyKind.BLUE_GREEN)
    cluster.apply(unseen("r-1"))
    admin.scale(f"{NAME}-blue", 1)
    cluster.apply(in_stage(unseen("r-2"), Stage.BESIDE))
    assert found(admin, "deployments", f"{NAME}-green")["spec"]["replicas"] == 1


def renamed(old: str, new: str) -> dict[str, str]:
    """The manifests with one text in place of another."""
    text = manifests(replicas=0)["app.yaml"]
    assert old in text
    return {"app.yaml": text.replace(old, new)}


DEPLOYMENT = "kind: Deployment\nmetadata:\n  name: "
SERVICE = "kind: Service\nmetadata:\n  name: "


@pytest.mark.parametrize(
    ("strategy", "files", "left_over"),
    [
        (StrategyKind.ROLLING, renamed(f"{DEPLOYMENT}web", f"{DEPLOYMENT}web2"), ["Deployment web"]),
        (StrategyKind.CANARY, renamed("app: web", "app: other"), ["Deployment web"]),
        (StrategyKind.ROLLING, renamed("targetPort: http", "targetPort: 8080"), ["Deployment web"]),
        (StrategyKind.ROLLING, renamed(f"{SERVICE}web", f"{SERVICE}door"), ["Service web", "Deployment web"]),
    ],
)
def test_what_no_update_can_do(
    site: Site, admin: Admin, strategy: StrategyKind, files: dict[str, str], left_over: list[str]
) -> None:
    """A release whose names, labels or ports the live pods do not fit stands beside them until the switch, both ways."""
    cluster, first, second = site.cluster(strategy), unseen("r-1"), unseen("r-2", files)
    cluster.apply(first)
    before = found(admin, "services")["spec"]
    assert cluster.check(files) == []
    assert cluster.first_stage(second) is Stage.BESIDE
    cluster.apply(in_stage(second, Stage.BESIDE))
    assert found(admin, "services")["spec"] == before
    assert found(admin, "deployments")["metadata"]["annotations"]["nocturne.io/release"] == "r-1"
    assert cluster.running() == "r-1"
    cluster.apply(second)
    assert cluster.running() == "r-2"
    # It answers wrongly: back to the one before, and forth again. The cluster counts whole seconds.
    time.sleep(1)
    cluster.apply(in_stage(first, cluster.first_stage(first)))
    cluster.apply(first)
    assert cluster.running() == "r-1"
    time.sleep(1)
    assert cluster.first_stage(second) is Stage.BESIDE
    cluster.apply(in_stage(second, Stage.BESIDE))
    cluster.apply(second)
    assert cluster.running() == "r-2"
    assert cluster.retire(second) == left_over
    assert cluster.drift(second) == []
    assert cluster.first_stage(unseen("r-3", files)) is Stage.BESIDE
    cluster.apply(in_stage(unseen("r-3", files), Stage.BESIDE))
    cluster.apply(unseen("r-3", files))
    assert (cluster.running(), found(admin, "deployments", main_name(files))["spec"]["replicas"]) == ("r-3", 0)


def main_name(files: dict[str, str]) -> str:
    """The main Deployment's name in manifests."""
    return files["app.yaml"].partition(DEPLOYMENT)[2].partition("\n")[0]


def test_renamed_service_under_blue_green(site: Site, admin: Admin) -> None:
    """A renamed Service does not make the live slot free: the new release goes to the other one."""
    cluster, files = site.cluster(StrategyKind.BLUE_GREEN), renamed(f"{SERVICE}web", f"{SERVICE}door")
    cluster.apply(unseen("r-1"))
    second = unseen("r-2", files)
    assert cluster.first_stage(second) is Stage.BESIDE
    with pytest.raises(Broken, match=f"found no Deployment {NAME}-green"):
        cluster.apply(second)
    cluster.apply(in_stage(second, Stage.BESIDE))
    assert found(admin, "deployments", f"{NAME}-blue")["metadata"]["annotations"]["nocturne.io/release"] == "r-1"
    cluster.apply(second)
    assert cluster.running() == "r-2"
