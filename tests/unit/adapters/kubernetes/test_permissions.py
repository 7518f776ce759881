"""The Role as data and as YAML."""

import asyncio
from typing import Any, cast

import yaml

from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.kinds import APP_KINDS, KINDS
from nocturne.adapters.kubernetes.permissions import missing, role_yaml, rules


class ReviewingApi:
    """Allows everything but what it is told not to."""

    def __init__(self, *refused: tuple[str, str, str, str]) -> None:
        self._refused = refused

    async def can(self, verb: str, group: str, resource: str, subresource: str = "", name: str = "") -> bool:
        return (verb, group, resource, subresource) not in self._refused


def documents(pull_secret: str) -> dict[str, Any]:
    return {item["kind"]: item for item in yaml.safe_load_all(role_yaml("apps", "nightly", pull_secret))}


def test_same_rules() -> None:
    """The YAML holds exactly the rules, each verb on each resource once."""
    found = [
        (group, resource, verb)
        for rule in documents(pull_secret="pull")["Role"]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    expected = [(rule.group, rule.resource, verb) for rule in rules(pull_secret="pull") for verb in rule.verbs]
    assert sorted(found) == sorted(expected)
    assert len(set(found)) == len(found)


def test_binding() -> None:
    """The binding gives the Role to the ServiceAccount of the same name, all three in one namespace."""
    found = documents(pull_secret="")
    assert {item["metadata"]["namespace"] for item in found.values()} == {"apps"}
    assert {item["metadata"]["name"] for item in found.values()} == {"nightly"}
    assert found["RoleBinding"]["roleRef"]["name"] == "nightly"
    assert found["RoleBinding"]["subjects"] == [{"kind": "ServiceAccount", "name": "nightly", "namespace": "apps"}]


def test_secrets_only_where_needed() -> None:
    """No right on Secrets is asked for unless the adapter brings the pull secret."""
    assert "secrets" not in role_yaml("apps", "nightly", pull_secret="")
    assert "secrets" in role_yaml("apps", "nightly", pull_secret="pull")


def test_nothing_of_the_whole_cluster() -> None:
    """No rule has a wildcard, and no role or binding is the cluster's."""
    text = role_yaml("apps", "nightly", pull_secret="pull")
    assert "*" not in text
    assert "Cluster" not in text


def test_every_kind() -> None:
    """Every kind that an app may bring can be made, changed, seen and removed."""
    allowed = {(rule.group, rule.resource): set(rule.verbs) for rule in rules(pull_secret="")}
    for name in APP_KINDS:
        kind = KINDS[name]
        assert {"create", "delete", "get", "list", "patch"} <= allowed[kind.group, kind.plural], name


def test_all_that_is_missing() -> None:
    """Everything that is lacking is told at once, as RBAC writes it."""
    api = ReviewingApi(("patch", "apps", "deployments", ""), ("get", "", "pods", "log"), ("watch", "", "events", ""))
    found = asyncio.run(missing(cast(KubernetesApi, api), pull_secret=""))
    assert found == ["patch deployments.apps", "watch events", "get pods/log"]


def test_only_the_pull_secret() -> None:
    """Of all Secrets in the namespace only the one that releases bring may be read and changed."""
    found = [rule for rule in documents("pull")["Role"]["rules"] if "secrets" in rule["resources"]]
    assert sorted((rule["verbs"], rule.get("resourceNames")) for rule in found) == [
        (["create"], None),
        (["get", "patch"], ["pull"]),
    ]
