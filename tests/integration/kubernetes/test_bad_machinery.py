"""Bad days of the machinery: what is wrong is named, the release is not blamed, and nothing was changed."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from nocturne.adapters.kubernetes.access import Access
from nocturne.domain.errors import Broken, Conflict, Rejected
from nocturne.domain.strategy import Drift
from nocturne.ports.cluster import Cluster, DesiredState, Phase
from tests.integration.kubernetes.conftest import Releases, Site, in_run, watch_to_end
from tests.integration.kubernetes.manifests import NAME, manifests
from tests.integration.kubernetes.role import ROLE, Role

pytestmark = pytest.mark.kubernetes
ROOT = Path(__file__).parents[3]


def set_image(site: Site, image: str) -> None:
    """`kubectl set image`."""
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
    site.admin.patch_strategic("deployments", NAME, change, "kubectl-set")


def test_verb_missing(site: Site, release: Releases) -> None:
    """A Role that lacks verbs is told by every verb and resource, before anything is changed, and again where it is met."""
    site.role.without("patch", "deployments")
    site.role.without("get", "pods/log")
    with pytest.raises(Broken, match=r"patch deployments\.apps") as refused:
        site.cluster().check(manifests())
    assert "get pods/log" in refused.value.message
    assert site.admin.namespace in refused.value.message
    with pytest.raises(Broken, match=r"patch.*deployments\.apps"):
        site.cluster().apply(release("r-live"))
    assert site.admin.names("deployments") == set()


def test_field_taken(site: Site, live: DesiredState, release: Releases) -> None:
    """A field that somebody else has set stops the night with name and field where it is to stop; nothing is changed."""
    other = release("r-other").image
    set_image(site, other)
    with pytest.raises(Conflict, match="kubectl-set") as conflict:
        site.cluster(drift=Drift.STOP).apply(release("r-next"))
    assert "image" in conflict.value.message
    assert site.admin.get("deployments", NAME)["spec"]["template"]["spec"]["containers"][0]["image"] == other


def test_field_taken_back(site: Site, live: DesiredState, release: Releases) -> None:
    """Where it is to be put right, the field is taken over, and from whom is in the log."""
    set_image(site, release("r-other").image)
    assert any("kubectl-set" in sentence for sentence in site.cluster().drift(live))
    site.deploy(release("r-next"))
    assert any("took" in line and "kubectl-set" in line for line in site.logged), site.logged


def test_namespace_missing(site: Site, release: Releases, kubeconfig: str) -> None:
    """A namespace that does not exist is named, by whoever may know."""
    access = Access(yaml.safe_load(Path(kubeconfig).read_text()))
    cluster = site.cluster(access=access, namespace="nt-site-not-there")
    for ask in (lambda: cluster.check(manifests()), lambda: cluster.apply(release("r-live"))):
        with pytest.raises(Broken, match="nt-site-not-there") as missing:
            ask()
        assert "create" in missing.value.advice


def test_manifest_invalid(site: Site, live: DesiredState, release: Releases) -> None:
    """Every fault of the manifests is told at once, before anything is changed, and rejects the release."""
    broken = manifests()["app.yaml"].replace("readinessProbe", "readynessProbe").replace("minAvailable", "minAvailble")
    faults = site.cluster().check({"app.yaml": broken})
    assert any("readynessProbe" in fault for fault in faults)
    assert any("minAvailble" in fault for fault in faults)
    with pytest.raises(Rejected, match="readynessProbe") as refused:
        site.cluster().apply(release("r-invalid", files={"app.yaml": broken}))
    assert "minAvailble" in refused.value.message
    assert site.cluster().running() == live.release_id


def test_only_the_server_knows(site: Site) -> None:
    """Faults that no schema shows are found by the server's dry run, all of them."""
    text = manifests()["app.yaml"].replace("memory: 64Mi", "memory: 64Mib").replace("targetPort: http", "targetPort: a_port")
    faults = "\n".join(site.cluster().check({"app.yaml": text}))
    assert "64Mib" in faults or "quantities" in faults
    assert "a_port" in faults or "targetPort" in faults


def test_two_runs_at_once(site: Site, live: DesiredState, release: Releases) -> None:
    """Of two runs that deploy at the same moment one is complete; the other's watch says who came in between."""
    ends = [deploying(site.role, release(name)) for name in ("r-one", "r-two")]
    for process in ends:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in ends:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()
    last = sorted(process.communicate(timeout=120)[0].strip().splitlines()[-1] for process in ends)
    running = site.cluster().running()
    other = "r-two" if running == "r-one" else "r-one"
    assert last[0].startswith("Broken"), last
    assert f"release {running}" in last[0]
    assert f"run-{running}" in last[0]
    assert other in last[0]
    assert last[1].startswith("complete"), last


def deploying(role: Role, desired: DesiredState) -> "subprocess.Popen[str]":
    arguments = [json.dumps(role.kubeconfig), json.dumps(asdict(desired)), role.token(), role.admin.namespace]
    command = [sys.executable, "-m", "tests.integration.kubernetes.deploy_process", *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/plugins:{ROOT}"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def test_expired_token(site: Site, live: DesiredState, release: Releases) -> None:
    """A token that is not valid any more is told as such, blames nobody, and a new one is taken up where the old one failed."""
    site.admin.create("secrets", {"metadata": {"name": "ends-the-token"}, "type": "Opaque"})
    token = site.admin.token(ROLE, bound_to="ends-the-token")
    given = [token]
    access = Access(site.role.kubeconfig, None, lambda: given[0])
    cluster = site.cluster(access=access)
    assert cluster.running() == live.release_id
    site.admin.delete("secrets", "ends-the-token")
    wait_until_refused(cluster)
    desired = release("r-next")
    with pytest.raises(Broken, match="does not know who asks") as refused:
        cluster.apply(desired)
    assert "expired" in refused.value.advice
    given[0] = site.role.token()
    assert cluster.apply(in_run(desired, "run-2"))
    assert watch_to_end(cluster, desired)[-1].phase is Phase.COMPLETE


def wait_until_refused(cluster: Cluster) -> None:
    """The server remembers for ten seconds that a token was valid."""
    deadline = time.monotonic() + 30
    while True:
        try:
            cluster.running()
        except Broken:
            return
        assert time.monotonic() < deadline
        time.sleep(0.5)
