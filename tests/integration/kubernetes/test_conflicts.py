"""What happens to changes that somebody else has made to the objects of a release."""

from collections.abc import Callable
from typing import Any

import pytest

from nocturne.domain.errors import Conflict
from nocturne.domain.strategy import Drift, StrategyKind
from nocturne.ports.cluster import Cluster, DesiredState, Stage
from tests.integration.kubernetes.admin import Admin
from tests.integration.kubernetes.conftest import Site, in_run, in_stage
from tests.integration.kubernetes.manifests import NAME, config_map, deployment, disruption_budget, manifests, service, with_object
from tests.integration.kubernetes.test_apply import found, release

pytestmark = pytest.mark.kubernetes


def edit(admin: Admin) -> None:
    """`kubectl edit`: another grace period, and another target of the Service."""
    admin.patch("deployments", NAME, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 3}}}})
    admin.patch("services", NAME, {"spec": {"sessionAffinity": "ClientIP"}})


def grace(admin: Admin) -> Any:
    return found(admin, "deployments")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]


def test_corrected(site: Site, admin: Admin) -> None:
    """A change by hand of what a release says is put right by the next one, and told with field and manager; the rest is left."""
    cluster = site.cluster(drift=Drift.CORRECT)
    cluster.apply(release("r-1"))
    edit(admin)
    assert cluster.apply(release("r-2"))
    assert grace(admin) == 15
    assert f"Deployment {NAME}: took .spec.template.spec.terminationGracePeriodSeconds over from kubectl-edit" in site.logged
    assert found(admin, "services")["spec"]["sessionAffinity"] == "ClientIP"


def test_same_release_corrected(site: Site, admin: Admin) -> None:
    """A change by hand is put right also when the very same release is asked for, and then there is nothing more to do."""
    cluster = site.cluster(drift=Drift.CORRECT)
    cluster.apply(release("r-1"))
    edit(admin)
    assert cluster.apply(in_run(release("r-1"), "run-2"))
    assert grace(admin) == 15
    assert not cluster.apply(in_run(release("r-1"), "run-2"))


def test_addition_removed(site: Site, admin: Admin) -> None:
    """What somebody has added by hand is removed, said so with field and manager, and is no drift any more."""
    cluster = site.cluster(drift=Drift.CORRECT)
    cluster.apply(release("r-1"))
    container = {"name": "app", "env": [{"name": "DEBUG", "value": "1"}]}
    admin.patch_strategic("deployments", NAME, {"spec": {"template": {"spec": {"containers": [container]}}}}, "kubectl-set")
    assert any("added by kubectl-set" in sentence for sentence in cluster.drift(release("r-1")))
    assert cluster.apply(in_run(release("r-1"), "run-2"))
    assert "env" not in found(admin, "deployments")["spec"]["template"]["spec"]["containers"][0]
    assert any("removed spec.template.spec.containers[app].env, which kubectl-set had added" in line for line in site.logged)
    assert cluster.drift(release("r-1")) == []


def test_stopped(site: Site, admin: Admin) -> None:
    """Where changes by hand must not be corrected, the release stops with manager and field, and nothing of it is applied."""
    cluster = site.cluster(drift=Drift.STOP)
    cluster.apply(release("r-1"))
    edit(admin)
    with pytest.raises(Conflict) as stopped:
        cluster.apply(release("r-2"))
    expected = f"Deployment {NAME}: .spec.template.spec.terminationGracePeriodSeconds was changed by kubectl-edit"
    assert expected in stopped.value.message
    assert grace(admin) == 3
    assert found(admin, "services")["metadata"]["annotations"]["nocturne.io/release"] == "r-1"


def test_live_release_stays(site: Site, admin: Admin) -> None:
    """Where changes by hand must not be corrected, the release that runs already is none that could be stopped: they are told."""
    cluster = site.cluster(drift=Drift.STOP)
    cluster.apply(release("r-1"))
    edit(admin)
    assert not cluster.apply(in_run(release("r-1"), "run-2"))
    assert grace(admin) == 3
    assert any("was changed by kubectl-edit; left as it is" in line for line in site.logged)


def test_another_applier(site: Site, admin: Admin) -> None:
    """A field that another tool has applied is a conflict like one that was edited."""
    cluster = site.cluster(drift=Drift.STOP)
    cluster.apply(release("r-1"))
    applied = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"terminationGracePeriodSeconds": 3}}}}
    admin.apply("deployments", NAME, applied, "argocd-controller")
    with pytest.raises(Conflict, match="was changed by argocd-controller"):
        cluster.apply(release("r-2"))


def test_scaling_is_no_conflict(site: Site, admin: Admin) -> None:
    """Scaling is everybody's right: it stops no release, whatever is done about other changes."""
    cluster = site.cluster(drift=Drift.STOP)
    cluster.apply(release("r-1"))
    admin.scale(NAME, 1)
    assert cluster.apply(release("r-2"))
    assert found(admin, "deployments")["spec"]["replicas"] == 1


def test_replicas_of_an_autoscaler(site: Site, admin: Admin) -> None:
    """A number of replicas that an autoscaler owns stops no release whose manifests ask for another."""
    cluster = site.cluster(drift=Drift.STOP)
    cluster.apply(release("r-1"))
    admin.patch("deployments", NAME, {"spec": {"replicas": 1}}, "kube-controller-manager")
    cluster.apply(release("r-2", manifests(replicas=1)))
    assert cluster.apply(release("r-3", manifests(replicas=0)))
    assert found(admin, "deployments")["spec"]["replicas"] == 0


def written(admin: Admin, plural: str) -> Any:
    """What people write of an object: its version moves with every status that a controller writes."""
    item = found(admin, plural)
    return item["spec"], item["metadata"].get("labels")


def calls(cluster: Cluster, desired: DesiredState) -> list[Callable[[], Any]]:
    return [
        lambda: cluster.check(desired.manifests),
        lambda: cluster.first_stage(desired),
        lambda: cluster.apply(desired),
        lambda: cluster.apply(in_stage(desired, Stage.SHARE)),
    ]


@pytest.mark.parametrize("strategy", [StrategyKind.ROLLING, StrategyKind.CANARY])
def test_made_by_hand(site: Site, admin: Admin, strategy: StrategyKind) -> None:
    """An app that somebody has made by hand is told with who it was, before anything is changed, whatever is done about drift."""
    admin.create("deployments", deployment(replicas=0))
    admin.create("services", service())
    before = [written(admin, plural) for plural in ("deployments", "services")]
    cluster, desired = site.cluster(strategy, Drift.CORRECT), release("r-1")
    assert cluster.running() is None
    for call in calls(cluster, desired):
        with pytest.raises(Conflict) as refused:
            call()
        for expected in (f"Service {NAME}: was made by OpenAPI-Generator", f"Deployment {NAME}: was made by OpenAPI-Generator"):
            assert expected in refused.value.message
    assert "give the manifests other names" in refused.value.advice
    after = [written(admin, plural) for plural in ("deployments", "services")]
    assert before == after
    assert NAME not in admin.names("serviceaccounts")
    assert admin.names("poddisruptionbudgets") == set()


def test_made_by_hand_and_taken_over(site: Site, admin: Admin) -> None:
    """Another object that was there before the first release is taken over, noted as somebody else's, and never removed."""
    admin.create("configmaps", config_map("settings", colour="red"))
    cluster, files = site.cluster(), manifests(replicas=0)
    for name in ("r-1", "r-2"):
        assert cluster.apply(release(name, with_object(files, config_map("settings", colour="blue"))))
        assert found(admin, "configmaps", "settings")["data"] == {"colour": "blue"}
        assert found(admin, "configmaps", "settings")["metadata"]["annotations"]["nocturne.io/adopted"] == "true"
    assert cluster.drift(release("r-2", with_object(files, config_map("settings", colour="blue")))) == []
    cluster.apply(release("r-3"))
    assert cluster.retire(release("r-3")) == []
    cluster.withdraw()
    assert "settings" in admin.names("configmaps")
    assert admin.names("deployments") == set()


def test_copied_by_hand(site: Site, admin: Admin) -> None:
    """A Deployment that somebody has made with our labels copied is neither what runs nor anything to be removed."""
    cluster = site.cluster()
    cluster.apply(release("r-1"))
    live = found(admin, "deployments")
    copied = {"name": "zz-copy", "labels": live["metadata"]["labels"], "annotations": {"nocturne.io/release": "r-9"}}
    admin.create("deployments", {**live, "metadata": copied})
    assert cluster.running() == "r-1"
    assert cluster.first_stage(release("r-1")) is Stage.WHOLE
    assert cluster.retire(release("r-1")) == []
    cluster.withdraw()
    assert admin.names("deployments") == {"zz-copy"}


def test_two_environments(site: Site, admin: Admin) -> None:
    """An app's environments in one namespace never touch each other: other names stand beside, the same names are refused."""
    one, other = site.cluster(app="digits.one"), site.cluster(app="digits.other")
    one.apply(release("r-1"))
    for call in calls(other, release("r-2")):
        with pytest.raises(Conflict, match=r"was made by a release of digits\.one"):
            call()
    renamed = release("r-2", {"app.yaml": manifests(replicas=0)["app.yaml"].replace("name: web\n", "name: web2\n")})
    assert other.apply(renamed)
    assert (one.running(), other.running()) == ("r-1", "r-2")
    assert other.retire(renamed) == one.retire(release("r-1")) == []
    other.withdraw()
    assert one.running() == "r-1"
    assert admin.names("services") == {NAME}


def test_shared_object(site: Site, admin: Admin) -> None:
    """Also an object of another kind that another environment's release has applied is not taken from it."""
    site.cluster(app="digits.one").apply(release("r-1"))
    text = manifests(replicas=0)["app.yaml"].replace("name: web\n", "name: web2\n")
    sharing = with_object({"app.yaml": text}, disruption_budget())
    with pytest.raises(Conflict, match=f"PodDisruptionBudget {NAME}: was made by a release of digits.one"):
        site.cluster(app="digits.other").apply(release("r-2", sharing))
    assert admin.names("deployments") == {NAME}


def test_addition_stops(site: Site, admin: Admin) -> None:
    """Where changes by hand must not be corrected, something added stops the next release too, and is left beside the live one."""
    cluster = site.cluster(drift=Drift.STOP)
    cluster.apply(release("r-1"))
    container = {"name": "app", "env": [{"name": "DEBUG", "value": "1"}]}
    admin.patch_strategic("deployments", NAME, {"spec": {"template": {"spec": {"containers": [container]}}}}, "kubectl-set")
    assert not cluster.apply(in_run(release("r-1"), "run-2"))
    with pytest.raises(Conflict, match=r"spec.template.spec.containers\[app\].env was added by kubectl-set"):
        cluster.apply(release("r-2"))
    assert found(admin, "services")["metadata"]["annotations"]["nocturne.io/release"] == "r-1"


def test_a_canary_leaves_before_a_conflict(site: Site, admin: Admin) -> None:
    """A canary of another release loses its users also when the release that is asked for then meets a conflict."""
    cluster = site.cluster(StrategyKind.CANARY, Drift.STOP)
    cluster.apply(release("r-1"))
    cluster.apply(in_stage(release("r-2"), Stage.SHARE))
    assert f"{NAME}-canary" in admin.names("deployments")
    edit(admin)
    with pytest.raises(Conflict):
        cluster.apply(release("r-3"))
    assert admin.names("deployments") == {NAME}
