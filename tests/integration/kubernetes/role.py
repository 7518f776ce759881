"""A role with the least rights, which the API server has taken note of before anybody uses it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nocturne.adapters.kubernetes import permissions
from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from tests.integration.kubernetes.admin import Admin

ROLE = "nocturne"


@dataclass
class Role:
    """A ServiceAccount with the Role as it is shipped, and a way in with its token and nothing else."""

    admin: Admin
    kubeconfig: dict[str, Any]
    rules: list[dict[str, Any]] = field(default_factory=list)
    token: Callable[[], str] = lambda: ""

    @property
    def access(self) -> Access:
        """Asks for the token anew for each connection."""
        return Access(self.kubeconfig, None, lambda: self.token())

    def without(self, verb: str, resource: str) -> None:
        """Take a verb on a resource away, like `patch` on `deployments`."""
        rules = []
        for rule in self.rules:
            rest = [name for name in rule["resources"] if name != resource]
            rules += [{**rule, "resources": rest}] if rest else []
            if resource in rule["resources"] and (verbs := [one for one in rule["verbs"] if one != verb]):
                rules.append({**rule, "resources": [resource], "verbs": verbs})
        self.change(rules)

    def change(self, rules: list[dict[str, Any]]) -> None:
        """Give it these rules instead."""
        self.rules = rules
        self.admin.patch("roles", ROLE, {"rules": rules})
        self.wait_until_known()

    def wait_until_known(self) -> None:
        """The API server decides by copies of roles and bindings, which follow what is written a moment later."""
        granted = {
            (group, resource, verb)
            for rule in self.rules
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
        every = [(rule, verb) for rule in permissions.rules("") for verb in rule.verbs]
        left_out = [f"{verb} {rule.title}" for rule, verb in every if (rule.group, rule.resource, verb) not in granted]
        deadline = time.monotonic() + 30
        while (found := asyncio.run(self._missing())) != left_out:
            assert time.monotonic() < deadline, f"the API server lets the role do without {found}, expected {left_out}"
            time.sleep(0.1)

    async def _missing(self) -> list[str]:
        async with KubernetesApi(self.access, self.admin.namespace) as api:
            return await permissions.missing(api, "")


def make_role(admin: Admin, kubeconfig: str) -> Role:
    """The Role as it is shipped, in the administrator's namespace."""
    text = permissions.role_yaml(admin.namespace, ROLE, pull_secret="")
    admin.create_yaml(text)
    rules = next(item["rules"] for item in yaml.safe_load_all(text) if item["kind"] == "Role")
    token = admin.token(ROLE)
    role = Role(admin, without_user(kubeconfig), rules, lambda: token)
    role.wait_until_known()
    return role


def without_user(kubeconfig: str) -> dict[str, Any]:
    """The way to the cluster of a kubeconfig's current context, with nobody's credentials."""
    found = yaml.safe_load(Path(kubeconfig).read_text())
    context = next(item["context"] for item in found["contexts"] if item["name"] == found["current-context"])
    cluster = next(item for item in found["clusters"] if item["name"] == context["cluster"])
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "tests", "context": {"cluster": cluster["name"], "user": "nobody"}}],
        "current-context": "tests",
    }
