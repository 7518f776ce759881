"""Applying a release: once, as a whole or not at all, and with respect for what somebody has scaled."""

from typing import Any

import pytest
import yaml

from nocturne.adapters.kubernetes import Access, KubernetesCluster, PullSecret
from nocturne.domain.errors import Broken, Rejected
from nocturne.domain.strategy import Drift, Strategy
from nocturne.ports.cluster import Cluster, DesiredState
from tests.integration.kubernetes.admin import Admin
from tests.integration.kubernetes.conftest import Site, in_run
from tests.integration.kubernetes.images import REPOSITORY
from tests.integration.kubernetes.manifests import (
    APP,
    NAME,
    config_map,
    deployment,
    disruption_budget,
    manifests,
    service,
    with_object,
)

pytestmark = pytest.mark.kubernetes


def release(name: str, files: dict[str, str] | None = None) -> DesiredState:
    """A release whose pods are never looked at: its image is nowhere."""
    annotations = {"release": name, "commit": "3f2a", "model": "m-1", "run": f"run-{name}", "requested-by": "ann"}
    image = f"localhost:1/{REPOSITORY}@sha256:{name[-1] * 64}"
    return DesiredState(name, image, manifests(replicas=0) if files is None else files, annotations)


def as_admin(kubeconfig: str, namespace: str, pull_secret: PullSecret | None = None) -> Cluster:
    with open(kubeconfig) as file:
        access = Access(yaml.safe_load(file))
    return KubernetesCluster(
        access, APP, REPOSITORY, namespace, Strategy(), Drift.CORRECT, port=8080, pull_secret=pull_secret, log=lambda _: None
    )


def found(admin: Admin, plural: str, name: str = NAME) -> dict[str, Any]:
    item = admin.get(plural, name)
    assert item is not None
    return item


def metadata_without_versions(admin: Admin) -> dict[str, Any]:
    """A Deployment's metadata as releases write it: the controller writes its status and revision at any time."""
    metadata = found(admin, "deployments")["metadata"]
    ours = {key: value for key, value in metadata["annotations"].items() if key.startswith("nocturne.io/")}
    return {"labels": metadata["labels"], "annotations": ours, "generation": metadata["generation"]}


def server_faults() -> dict[str, str]:
    """Good by every schema, and yet nothing that a server accepts."""
    door, budget = service(), disruption_budget()
    door["spec"]["ports"][0]["port"] = 70000
    budget["spec"]["maxUnavailable"] = 1
    return {"app.yaml": yaml.safe_dump_all([deployment(), door, budget])}


def test_applied_objects(site: Site, admin: Admin) -> None:
    """Every object says which release it is of, of which app, and who wanted it; the image is there by digest."""
    cluster = site.cluster()
    assert cluster.running() is None
    assert cluster.apply(release("r-1"))
    for plural in ("deployments", "services", "poddisruptionbudgets", "serviceaccounts"):
        metadata = found(admin, plural)["metadata"]
        assert metadata["labels"]["nocturne.io/app"] == APP
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "nocturne"
        assert metadata["annotations"]["nocturne.io/release"] == "r-1"
        assert metadata["annotations"]["nocturne.io/requested-by"] == "ann"
        assert "nocturne" in [entry["manager"] for entry in metadata["managedFields"]]
    assert found(admin, "deployments")["spec"]["template"]["spec"]["containers"][0]["image"] == release("r-1").image
    assert found(admin, "services")["spec"]["selector"] == {"app": NAME, "nocturne.io/app": APP, "nocturne.io/slot": "main"}
    assert cluster.running() == "r-1"


def test_applied_once(site: Site, admin: Admin) -> None:
    """The same release asked for again, by this run or by another, changes nothing and says so."""
    cluster = site.cluster()
    assert cluster.apply(release("r-1"))
    before = metadata_without_versions(admin)
    assert not cluster.apply(release("r-1"))
    assert not cluster.apply(in_run(release("r-1"), "another"))
    assert metadata_without_versions(admin) == before
    assert cluster.apply(release("r-2"))


def test_all_or_nothing(site: Site, admin: Admin) -> None:
    """What only the server can find wrong is reported for all objects together, and then nothing at all is applied."""
    cluster = site.cluster()
    with pytest.raises(Rejected) as rejected:
        cluster.apply(release("r-1", server_faults()))
    for expected in (f"Service {NAME}: spec.ports[0].port", f"PodDisruptionBudget {NAME}: spec"):
        assert expected in rejected.value.message
    assert admin.names("deployments") == set()
    assert NAME not in admin.names("serviceaccounts")


def test_check(site: Site, admin: Admin) -> None:
    """A check says what the server would say, and changes nothing."""
    cluster = site.cluster()
    assert cluster.check(manifests()) == []
    assert len(cluster.check(server_faults())) == 2
    assert admin.names("deployments") == set()


def test_offline_faults(site: Site) -> None:
    """Manifests with faults that no cluster is needed for are rejected with all of them."""
    files = with_object(manifests(), {**config_map("a"), "datum": {}})
    with pytest.raises(Rejected, match="found datum, expected only fields"):
        site.cluster().apply(release("r-1", files))
    assert len(site.cluster().check(files)) == 1


def test_image_by_tag(site: Site) -> None:
    """A release whose image is not known by digest is refused."""
    desired = release("r-1")
    with pytest.raises(Rejected, match="expected a reference by digest"):
        site.cluster().apply(DesiredState("r-1", "app:latest", desired.manifests, desired.annotations))


def test_scaled_by_hand(site: Site, admin: Admin) -> None:
    """A number of replicas that somebody has chosen stays through later releases, until it is the manifest's again."""
    files = manifests(replicas=1)
    cluster = site.cluster()
    cluster.apply(release("r-1", files))
    admin.scale(NAME, 0)
    cluster.apply(release("r-2", files))
    assert found(admin, "deployments")["spec"]["replicas"] == 0
    assert "kept 0 replicas, which somebody has chosen, instead of the 1 of the manifests" in site.logged
    cluster.apply(release("r-3", files))
    assert found(admin, "deployments")["spec"]["replicas"] == 0
    admin.scale(NAME, 1)
    cluster.apply(release("r-4", manifests(replicas=2)))
    assert found(admin, "deployments")["spec"]["replicas"] == 2


def test_no_protocol(site: Site) -> None:
    """Ports without a protocol, which old servers refuse in an apply patch, are taken."""
    app, door = deployment(replicas=0), service()
    del door["spec"]["ports"][0]["protocol"], app["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"]
    assert site.cluster().apply(release("r-1", {"app.yaml": yaml.safe_dump_all([app, door])}))


def test_every_kind(site: Site, admin: Admin) -> None:
    """An app may bring each of the kinds, in versions that the server does not serve but has others of the same shape for."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME}
    backend = {"service": {"name": NAME, "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    others = [
        ("autoscaling/v2", "HorizontalPodAutoscaler", {"maxReplicas": 3, "scaleTargetRef": target}),
        ("networking.k8s.io/v1", "Ingress", {"rules": [{"http": {"paths": [path]}}]}),
        ("networking.k8s.io/v1", "NetworkPolicy", {"podSelector": {"matchLabels": {"app": NAME}}, "ingress": [{}]}),
    ]
    files = with_object(manifests(replicas=0), config_map("settings", x="1"))
    for version, kind, spec in others:
        files = with_object(files, {"apiVersion": version, "kind": kind, "metadata": {"name": NAME}, "spec": spec})
    cluster = site.cluster()
    assert cluster.check(files) == []
    assert cluster.apply(release("r-1", files))
    assert not cluster.apply(release("r-1", files))
    cluster.withdraw()
    for plural in ("deployments", "services", "ingresses", "networkpolicies", "horizontalpodautoscalers", "poddisruptionbudgets"):
        assert admin.names(plural) == set()


def test_withdrawn(site: Site) -> None:
    """A withdrawn app is gone, and can be withdrawn again and come back."""
    cluster = site.cluster()
    cluster.apply(release("r-1"))
    cluster.withdraw()
    assert cluster.running() is None
    cluster.withdraw()
    assert cluster.apply(release("r-1"))
    assert cluster.running() == "r-1"


def test_missing_namespace(kubeconfig: str) -> None:
    """A namespace that does not exist is the machinery's fault, and named."""
    cluster = as_admin(kubeconfig, "nt-apply-nowhere")
    for call in (lambda: cluster.apply(release("r-1")), lambda: cluster.check(manifests())):
        with pytest.raises(Broken, match="found no namespace 'nt-apply-nowhere'"):
            call()


def test_pull_secret(kubeconfig: str, admin: Admin) -> None:
    """The registry's login is there for the nodes before the pods, and the pods name it."""
    given = PullSecret("registry-login", "registry.example", "robot", "hunter2")
    cluster = as_admin(kubeconfig, admin.namespace, given)
    assert cluster.check(manifests()) == []
    assert cluster.apply(release("r-1"))
    assert found(admin, "secrets", "registry-login")["type"] == "kubernetes.io/dockerconfigjson"
    assert found(admin, "deployments")["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry-login"}]
    assert not cluster.apply(release("r-1"))


def test_public_address(site: Site, kubeconfig: str, admin: Admin) -> None:
    """The public address is the node's with the Service's port; without a Service, or a node's address, it says what is lacking."""
    cluster = site.cluster()
    with pytest.raises(Broken, match="found no Service of the app"):
        cluster.public_url()
    cluster.apply(release("r-1"))
    assert cluster.public_url() == f"http://127.0.0.1:{site.port}"
    with pytest.raises(Broken, match=r"no public_url is set, it is a NodePort, no LoadBalancer, its NodePort is .*no node_address"):
        as_admin(kubeconfig, admin.namespace).public_url()
