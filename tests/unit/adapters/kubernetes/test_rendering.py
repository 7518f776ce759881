"""What a release adds to an app's objects in each slot, and what it leaves alone."""

import base64
import json
from typing import Any

import yaml

from nocturne.adapters.kubernetes.manifests import read_manifests
from nocturne.adapters.kubernetes.names import Slot
from nocturne.adapters.kubernetes.rendering import PullSecret, Rendering
from nocturne.ports.cluster import DesiredState
from tests.integration.kubernetes.manifests import config_map, deployment, disruption_budget, service

IMAGE = f"localhost:5000/nocturne/test-app@sha256:{'1' * 64}"
DESIRED = DesiredState(
    "r-1", IMAGE, {}, {"release": "r-1", "commit": "3f2a", "model": "m-1", "run": "run-1", "requested-by": "ann"}
)


def rendering(*objects: dict[str, Any], pull_secret: PullSecret | None = None) -> Rendering:
    given = objects or (deployment(), service(), disruption_budget(), config_map("settings", x="1"))
    read, faults = read_manifests({"app.yaml": yaml.safe_dump_all(given)}, "production", "nocturne/test-app")
    assert read is not None, faults
    return Rendering("digits", read, DESIRED, pull_secret)


def autoscaler() -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"minReplicas": 2, "maxReplicas": 4, "scaleTargetRef": target}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": spec}


def test_main_slot() -> None:
    """The main Deployment keeps the app's name and selector; its pods get image, slot and annotations."""
    found = rendering().deployment(Slot.MAIN)
    template = found["spec"]["template"]
    assert found["metadata"]["name"] == "web"
    assert found["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    assert template["spec"]["containers"][0]["image"] == IMAGE
    assert template["metadata"]["labels"] == {"app": "web", "nocturne.io/app": "digits", "nocturne.io/slot": "main"}
    assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "nocturne"
    assert found["metadata"]["annotations"]["nocturne.io/run"] == "run-1"
    assert found["metadata"]["annotations"]["nocturne.io/replicas"] == "2"


def test_pods_do_not_know_their_run() -> None:
    """A new run of the same release changes no pod template, which would restart the pods."""
    annotations = rendering().deployment(Slot.MAIN)["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"nocturne.io/release": "r-1", "nocturne.io/commit": "3f2a", "nocturne.io/model": "m-1"}


def test_a_coloured_slot() -> None:
    """The Deployment of a colour has its own name, and a selector that leaves the other slots' pods alone."""
    found = rendering().deployment(Slot.GREEN)
    assert found["metadata"]["name"] == "web-green"
    assert found["spec"]["selector"]["matchLabels"] == {"app": "web", "nocturne.io/slot": "green"}
    assert found["spec"]["template"]["metadata"]["labels"]["nocturne.io/slot"] == "green"


def test_canary() -> None:
    """A canary's pods are in the main slot, so that the Service selects them, and known by their track."""
    found = rendering().canary(1)
    assert found["metadata"]["name"] == "web-canary"
    assert found["spec"]["replicas"] == 1
    assert found["spec"]["selector"]["matchLabels"] == {"app": "web", "nocturne.io/track": "canary"}
    labels = found["spec"]["template"]["metadata"]["labels"]
    assert (labels["nocturne.io/slot"], labels["nocturne.io/track"]) == ("main", "canary")


def test_replicas_that_somebody_chose() -> None:
    """Another number of replicas than the manifest's is applied, and the manifest's is remembered beside it."""
    found = rendering().deployment(Slot.MAIN, 5)
    assert found["spec"]["replicas"] == 5
    assert found["metadata"]["annotations"]["nocturne.io/replicas"] == "2"


def test_service() -> None:
    """A Service selects the slot as well, and a port without a protocol gets the default that old clusters ask for."""
    given = service()
    del given["spec"]["ports"][0]["protocol"]
    found = rendering(deployment(), given).followers(Slot.BLUE)[0]
    assert found["spec"]["selector"] == {"app": "web", "nocturne.io/app": "digits", "nocturne.io/slot": "blue"}
    assert found["spec"]["ports"][0]["protocol"] == "TCP"


def test_another_service() -> None:
    """A Service that does not select the app's pods is left as it is."""
    other = service()
    other["metadata"]["name"] = "database"
    other["spec"] = {"type": "ExternalName", "externalName": "db.example.com"}
    found = rendering(deployment(), service(), other).followers(Slot.BLUE)
    assert {one["metadata"]["name"]: "selector" in one["spec"] for one in found} == {"web": True, "database": False}


def test_autoscaler() -> None:
    """An autoscaler of the app's Deployment scales the slot that users get."""
    found = rendering(deployment(), service(), autoscaler()).followers(Slot.GREEN)
    assert found[1]["spec"]["scaleTargetRef"]["name"] == "web-green"


def test_order() -> None:
    """What pods need comes before them, and who sends users to them after."""
    whole = rendering(disruption_budget(), service(), deployment(), config_map("settings", x="1")).whole(Slot.MAIN)
    assert [one["kind"] for one in whole] == ["ConfigMap", "Deployment", "Service", "PodDisruptionBudget"]


def test_pull_secret() -> None:
    """With a login the Secret is applied with the release and its password is shown nowhere; without one only its name is used."""
    given = PullSecret("pull", "registry.example", "robot", "hunter2")
    with_login = rendering(pull_secret=given)
    secret = with_login.companions()[0]
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    logins = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    assert base64.b64decode(logins["registry.example"]["auth"]) == b"robot:hunter2"
    assert "hunter2" not in repr(given)
    without = rendering(pull_secret=PullSecret("pull"))
    assert [one["kind"] for one in without.companions()] == ["ConfigMap"]
    assert without.deployment(Slot.MAIN)["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "pull"}]


def test_the_apps_objects_stay() -> None:
    """Rendering changes nothing of what the app wrote: the same objects are rendered for many slots."""
    one = rendering()
    before = yaml.safe_dump(list(one.objects.objects))
    one.whole(Slot.BLUE)
    one.canary(1)
    assert yaml.safe_dump(list(one.objects.objects)) == before


def test_what_the_server_writes() -> None:
    """Fields that only the server may write, as an exported manifest has them, are left out."""
    exported = {**deployment(), "status": {"replicas": 2}}
    exported["metadata"] = {**exported["metadata"], "resourceVersion": "12", "creationTimestamp": None}
    found = rendering(exported, service()).deployment(Slot.MAIN)
    assert "status" not in found
    assert not {"resourceVersion", "creationTimestamp"} & set(found["metadata"])


def test_budget() -> None:
    """A budget counts the pods of the slot that users get, and one for other pods is left as it is."""
    other = {**disruption_budget(), "metadata": {"name": "database"}, "spec": {"selector": {"matchLabels": {"app": "database"}}}}
    found = rendering(deployment(), service(), disruption_budget(), other).followers(Slot.BLUE)
    labels = {one["metadata"]["name"]: one["spec"]["selector"]["matchLabels"] for one in found if one["kind"] != "Service"}
    assert labels["web"] == {"app": "web", "nocturne.io/app": "digits", "nocturne.io/slot": "blue"}
    assert labels["database"] == {"app": "database"}


def test_network_policy() -> None:
    """Who may speak with the pods of every slot is changed only when all users get the release."""
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "web"},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}},
    }
    found = rendering(deployment(), service(), policy)
    assert found.companions() == []
    assert "NetworkPolicy" in [one["kind"] for one in found.whole(Slot.MAIN)]


def test_which_service() -> None:
    """Of several Services users come through the one that has an address outside, wherever it stands in the files."""
    inner = {**service(), "metadata": {"name": "a-internal"}, "spec": {**service()["spec"], "type": "ClusterIP"}}
    assert rendering(inner, deployment(), service()).service == "web"
