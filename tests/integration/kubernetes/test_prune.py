"""Retiring removes what this app's releases have left over, and nothing else, ever."""

import asyncio
from typing import Any

import pytest

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.prune import retire
from tests.integration.kubernetes.admin import Admin
from tests.integration.kubernetes.manifests import APP, NAME, config_map, deployment
from tests.integration.kubernetes.objects import released, released_app
from tests.integration.kubernetes.role import Role

pytestmark = pytest.mark.kubernetes


def applied(access: Access, namespace: str, *objects: dict[str, Any]) -> None:
    async def apply() -> None:
        async with KubernetesApi(access, namespace) as api:
            for item in objects:
                await api.apply(item["kind"], item, force=True)

    asyncio.run(apply())


def retired(access: Access, namespace: str, objects: list[dict[str, Any]]) -> list[str]:
    async def ask() -> list[str]:
        async with KubernetesApi(access, namespace) as api:
            return await retire(api, APP, objects)

    return asyncio.run(ask())


def slot(name: str) -> dict[str, Any]:
    wanted = deployment(replicas=0)
    return released({**wanted, "metadata": {**wanted["metadata"], "name": name}})


def test_left_over(role: Role, admin: Admin) -> None:
    """The other slot, the canary and what the manifests do not name any more go, once; the rest stays."""
    objects = released_app()
    left_over = [slot(f"{NAME}-green"), slot(f"{NAME}-canary"), released(config_map("old-settings"))]
    applied(role.access, admin.namespace, *objects, *left_over)
    found = retired(role.access, admin.namespace, objects)
    assert found == [f"Deployment {NAME}-canary", f"Deployment {NAME}-green", "ConfigMap old-settings"]
    assert admin.names("deployments") == {NAME}
    assert "old-settings" not in admin.names("configmaps")
    assert {"settings"} <= admin.names("configmaps")
    assert retired(role.access, admin.namespace, objects) == []


def test_others(role: Role, admin: Admin) -> None:
    """Another app's objects, and what somebody made by hand, stay: with no label, with our label copied, and with another name."""
    objects = released_app()
    applied(role.access, admin.namespace, *objects, released(config_map("of-another-app"), app="another"))
    admin.create("configmaps", config_map("by-hand"), released(config_map("by-hand-with-our-label")))
    admin.create("secrets", {"metadata": {"name": "by-hand", "labels": {names.APP: APP}}, "type": "Opaque"})
    before = admin.names("configmaps")
    assert retired(role.access, admin.namespace, objects) == []
    assert admin.names("configmaps") == before
    assert "by-hand" in admin.names("secrets")


def test_everything(role: Role, admin: Admin) -> None:
    """With nothing wanted, all that was applied goes, the Service before the pods and what pods need at last."""
    applied(role.access, admin.namespace, *released_app())
    found = retired(role.access, admin.namespace, [])
    assert found == [
        f"PodDisruptionBudget {NAME}",
        f"Service {NAME}",
        f"Deployment {NAME}",
        "ConfigMap settings",
        f"ServiceAccount {NAME}",
    ]
    assert admin.names("services") == set()
