"""What somebody has changed by hand is told field by field, with who it was; nothing else is."""

import asyncio
from typing import Any

import pytest

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.drift import differences
from tests.integration.kubernetes.admin import Admin
from tests.integration.kubernetes.manifests import NAME, deployment
from tests.integration.kubernetes.objects import released_app
from tests.integration.kubernetes.role import Role

pytestmark = pytest.mark.kubernetes


def drift(access: Access, namespace: str, objects: list[dict[str, Any]]) -> list[str]:
    async def ask() -> list[str]:
        async with KubernetesApi(access, namespace) as api:
            return await differences(api, objects)

    return asyncio.run(ask())


@pytest.fixture
def applied(role: Role, namespace: str) -> list[dict[str, Any]]:
    """The objects of a release, applied."""
    objects = released_app()

    async def apply() -> None:
        async with KubernetesApi(role.access, namespace) as api:
            for item in objects:
                await api.apply(item["kind"], item, force=True)

    asyncio.run(apply())
    return objects


def with_container(**changes: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", **changes}]}}}}


def test_none(role: Role, namespace: str, applied: list[dict[str, Any]]) -> None:
    """Right after it was applied nothing differs, and another run of the same release is no difference."""
    assert drift(role.access, namespace, applied) == []
    assert drift(role.access, namespace, released_app(run="run-2")) == []


def test_scaled(role: Role, admin: Admin, applied: list[dict[str, Any]]) -> None:
    """A scaled Deployment and restarted pods are no drift: both are an operator's daily work."""
    admin.scale(NAME, 1)
    restarted = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-22"}}}}}
    admin.patch("deployments", NAME, restarted, "kubectl-rollout")
    assert drift(role.access, admin.namespace, applied) == []


def test_changed(role: Role, admin: Admin, applied: list[dict[str, Any]]) -> None:
    """Changed fields are told with what they are, what they ought to be, and who changed them; all at once."""
    admin.patch_strategic("deployments", NAME, with_container(image="localhost:9/test-app:other"), "kubectl-edit")
    admin.patch("configmaps", "settings", {"data": {"colour": "blue"}}, "kubectl-patch")
    assert drift(role.access, admin.namespace, applied) == [
        "ConfigMap settings: data.colour is blue, expected red (changed by kubectl-patch)",
        f"Deployment {NAME}: spec.template.spec.containers[app].image is localhost:9/test-app:other, "
        "expected localhost:9/test-app:none (changed by kubectl-edit)",
    ]


def test_removed(role: Role, admin: Admin, applied: list[dict[str, Any]]) -> None:
    """Objects and fields that are gone are told."""
    admin.delete("poddisruptionbudgets", NAME)
    admin.patch("configmaps", "settings", {"data": {"colour": None}}, "kubectl-patch")
    assert drift(role.access, admin.namespace, applied) == [
        'ConfigMap settings: data is nothing, expected {"colour": "red"}',
        f"PodDisruptionBudget {NAME} is missing",
    ]


def test_added(role: Role, admin: Admin, applied: list[dict[str, Any]]) -> None:
    """What was added by hand is told too, though an apply would leave it where it is."""
    admin.patch_strategic("deployments", NAME, with_container(env=[{"name": "DEBUG", "value": "1"}]), "kubectl-set")
    admin.patch("services", NAME, {"spec": {"selector": {"only": "mine"}}}, "kubectl-edit")
    assert drift(role.access, admin.namespace, applied) == [
        f"Deployment {NAME}: spec.template.spec.containers[app].env is "
        '[{"name": "DEBUG", "value": "1"}], expected nothing there (added by kubectl-set)',
        f"Service {NAME}: spec.selector.only is mine, expected nothing there (added by kubectl-edit)",
    ]


def test_made_by_hand(role: Role, admin: Admin, applied: list[dict[str, Any]]) -> None:
    """A Deployment that somebody has made anew by hand is told by what it lacks, and not by the server's defaults."""
    admin.delete("deployments", NAME)
    wanted = deployment(replicas=0)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "localhost:9/test-app:none"
    admin.create("deployments", wanted)
    found = drift(role.access, admin.namespace, applied)
    assert found
    assert all("metadata." in sentence for sentence in found), found
