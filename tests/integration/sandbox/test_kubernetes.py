"""The sandbox's namespace, in the real cluster."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.permissions import missing
from nocturne.domain.errors import Broken, Conflict
from nocturne.sandbox.kubeconfig import read_kubeconfig, release_kubeconfig
from nocturne.sandbox.kubernetes import ACCOUNT, SandboxNamespace
from nocturne.sandbox.kubernetes_calls import KubernetesCalls
from nocturne.sandbox.settings import Settings

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def settings(settings: Settings) -> Settings:
    found = replace(settings, target="kubernetes", kubeconfig=Path(os.environ["KUBECONFIG"]))
    found.home.mkdir(parents=True)
    return found


@pytest.fixture
def namespace(settings: Settings) -> Iterator[SandboxNamespace]:
    found = SandboxNamespace(settings)
    found.ensure(print)
    yield found
    found.remove()


def read(settings: Settings, path: str = "") -> dict[str, Any] | None:
    """An object in the namespace, or the namespace, as the administrator sees it."""

    async def get() -> dict[str, Any] | None:
        async with KubernetesCalls(read_kubeconfig(settings.kubeconfig), settings.name) as calls:
            return await calls.get(f"/api/v1/namespaces/{settings.name}{path}")

    return asyncio.run(get())


def rights(settings: Settings) -> tuple[list[str], bool, bool]:
    """What the releases' kubeconfig lacks of the Role, and whether it may read secrets here, and list pods elsewhere."""

    async def look() -> tuple[list[str], bool, bool]:
        access = Access(read_kubeconfig(release_kubeconfig(settings.home)))
        async with KubernetesApi(access, settings.name) as own, KubernetesApi(access, "default") as other:
            return await missing(own, ""), await own.can("get", "", "secrets"), await other.can("list", "", "pods")

    return asyncio.run(look())


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether it comes true: the API server decides by copies of roles and bindings, which follow a moment later."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return met


def test_releases_may_do_exactly_what_they_need(settings: Settings, namespace: SandboxNamespace) -> None:
    """The token in the releases' kubeconfig has every right of the Role in its namespace, and none in another."""
    assert eventually(lambda: rights(settings) == ([], False, False)), rights(settings)


def test_a_start_may_be_repeated(settings: Settings, namespace: SandboxNamespace) -> None:
    """`up` on a namespace that is there keeps it, puts a changed Role right, and gives releases a token that works."""
    before = read(settings)
    change_role(settings)
    release_kubeconfig(settings.home).unlink()
    namespace.ensure(print)
    after = read(settings)
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert eventually(lambda: rights(settings) == ([], False, False)), rights(settings)


def change_role(settings: Settings) -> None:
    """By hand, with more than it should have."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{settings.name}/roles/{ACCOUNT}"
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": ACCOUNT}, "rules": rules}

    async def apply() -> None:
        async with KubernetesCalls(read_kubeconfig(settings.kubeconfig), settings.name) as calls:
            await calls.apply(path, role)

    asyncio.run(apply())
    assert eventually(lambda: rights(settings)[1])


def test_nothing_released(namespace: SandboxNamespace) -> None:
    """Before the first release there are no replicas, and that is no error."""
    assert namespace.replicas() is None
    assert namespace.version().startswith("Kubernetes v")


def test_another_sandbox_keeps_its_namespace(settings: Settings, namespace: SandboxNamespace, tmp_path: Path) -> None:
    """A sandbox in another home is told to take another name, and its `clean` leaves the first one alone."""
    other = SandboxNamespace(replace(settings, home=tmp_path / "other"))
    with pytest.raises(Conflict, match=f"belongs to {settings.home}") as caught:
        other.ensure(print)
    assert "NOCTURNE_NAME" in caught.value.advice
    assert not other.remove()
    assert read(settings) is not None


def test_the_namespace_of_a_deleted_sandbox_is_made_anew(settings: Settings, namespace: SandboxNamespace, tmp_path: Path) -> None:
    """Where the home that a namespace belongs to is gone, it is replaced by an empty one, and that is said."""
    before = read(settings)
    shutil.rmtree(settings.home)
    said: list[str] = []
    heir = SandboxNamespace(replace(settings, home=tmp_path))
    heir.ensure(said.append)
    after = read(settings)
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert str(settings.home) in said[0]
    assert heir.remove()
    assert read(settings) is None


def test_a_cluster_that_is_away(settings: Settings, tmp_path: Path) -> None:
    """A cluster that does not answer is named by its address."""
    content = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(json.dumps(content))
    with pytest.raises(Broken, match=r"the cluster at https://127\.0\.0\.1:1 does not answer"):
        SandboxNamespace(replace(settings, kubeconfig=kubeconfig)).ensure(print)
