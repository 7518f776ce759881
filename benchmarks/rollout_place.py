"""What the rollout's benchmark works on: two releases of the demo app in a registry, and a namespace for each side."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from nocturne_side import NocturneSide
from workplace import CLONE, Workplace, run

from nocturne.adapters.kubernetes import Access, KubernetesCluster
from nocturne.domain.errors import Broken
from nocturne.domain.strategy import Drift, Strategy
from nocturne.ports.cluster import DesiredState, Phase, Rollout, Stage
from nocturne.sandbox.kubeconfig import node_address
from nocturne.steps.build_image import build_image
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.judge_model import judge_model
from nocturne.steps.try_image import try_image
from nocturne.steps.world import Run

ENVIRONMENT = "kubernetes"


@dataclass(frozen=True)
class Namespace:
    """One side's own. kubectl: runs it there. cluster: Nocturne's view of it, with a strategy."""

    name: str
    kubeconfig: Path

    def kubectl(self, *words: str, content: str = "") -> str:
        """kubectl's output. Raises Broken."""
        return run("kubectl", "--kubeconfig", str(self.kubeconfig), "--namespace", self.name, *words, content=content)

    def cluster(self, strategy: Strategy, log: Callable[[str], None] = lambda line: None) -> KubernetesCluster:
        """The namespace as Nocturne works with it."""
        access = Access(yaml.safe_load(self.kubeconfig.read_text()))
        address = node_address(self.kubeconfig)
        return KubernetesCluster(
            access, "digits", "digits", self.name, strategy, Drift.CORRECT, port=8080, node_address=address, log=log
        )


@contextmanager
def namespace(name: str, kubeconfig: Path) -> Iterator[Namespace]:
    """A namespace that is gone afterwards."""
    found = Namespace(name, kubeconfig)
    run("kubectl", "--kubeconfig", str(kubeconfig), "create", "namespace", name)
    try:
        yield found
    finally:
        run("kubectl", "--kubeconfig", str(kubeconfig), "delete", "namespace", name, "--wait=true")


def two_releases(place: Workplace, side: NocturneSide) -> tuple[DesiredState, DesiredState]:
    """Two releases of the demo app with a trained model, that differ in their code. Built by the real steps."""
    model = place.home / "model"
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "run", "--quiet", "--frozen", "--project", str(place.app), "python", "-m", "app.training", "--out", str(model)]
    done = subprocess.run(command, cwd=place.repository, capture_output=True, text=True, env=_clean_environment(), check=False)
    if done.returncode:
        raise Broken(f"training the demo model failed: {done.stderr[-2000:]}")
    side.publish(model)
    first = _release(side, "first")
    place.commit("The second release")
    return first, _release(side, "second")


def _release(side: NocturneSide, name: str) -> DesiredState:
    world = side.world()
    night = Run(f"benchmark-{name}", ENVIRONMENT, "benchmark")
    frozen = freeze_inputs(world, night, Wish())
    assert frozen.inputs is not None  # nothing is in quarantine here
    for step in (fetch_model, judge_model, build_image, try_image):
        step(world, night, world.ledger.release(frozen.inputs.release_id))
    release = world.ledger.release(frozen.inputs.release_id)
    annotations = {
        "commit": frozen.inputs.code.commit,
        "model": frozen.inputs.model.version,
        "run": name,
        "requested-by": "benchmark",
    }
    return DesiredState(release.id, release.image, release.manifests, annotations)


def manifests_for_kubectl(desired: DesiredState, kubectl: Namespace) -> str:
    """The same manifests with the image put in, as somebody would write them who has kubectl alone."""
    served = kubectl.kubectl("api-versions").split()
    documents: list[dict[str, Any]] = []
    for text in desired.manifests.values():
        for document in filter(None, yaml.safe_load_all(text)):
            if document["apiVersion"] not in served:
                document["apiVersion"] = document["apiVersion"].replace("/v1", "/v1beta1")
            if document["kind"] == "Deployment":
                document["spec"]["template"]["spec"]["containers"][0]["image"] = desired.image
            documents.append(document)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})


def roll_out(cluster: KubernetesCluster, desired: DesiredState, seconds: float = 300) -> Rollout:
    """Through every stage, to its end."""
    for stage in dict.fromkeys((cluster.first_stage(desired), Stage.WHOLE)):
        now = replace(desired, stage=stage)
        cluster.apply(now)
        last = asyncio.run(_to_end(cluster, now, seconds))
        if last.phase is Phase.FAILED:
            return last
    return last


async def _to_end(cluster: KubernetesCluster, desired: DesiredState, seconds: float) -> Rollout:
    async with asyncio.timeout(seconds), aclosing(cluster.watch(desired)) as looks:
        async for last in looks:
            if last.phase is not Phase.PROGRESSING:
                return last
    raise Broken("watching ended by itself")


def kubeconfig() -> Path:
    """The file that KUBECONFIG names. Raises Broken when no cluster answers there, or kubectl is missing."""
    path = Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    if not path.is_file():
        raise Broken(f"found no kubeconfig at {path}", advice="set KUBECONFIG to that of a cluster for trying things")
    run("kubectl", "--kubeconfig", str(path), "get", "--raw", "/version")
    return path


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    return {**kept, "UV_PROJECT_ENVIRONMENT": str(CLONE / ".nocturne" / "benchmark-app"), "UV_PYTHON_DOWNLOADS": "never"}
