"""What the adapter may do in an app's namespace: the Role as data, as YAML, and checked against a cluster.

Source of verbs and subresources: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
"""

import asyncio
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import yaml

from nocturne.adapters.kubernetes.api import KubernetesApi

_AT_ONCE = 8
_OWN = ("create", "delete", "get", "list", "patch")


@dataclass(frozen=True)
class Rule:
    """group: empty for the core group. resource: plural, with its subresource, like `pods/log`. name: of the only object that it is
    about, empty for all of the resource.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    name: str = ""

    @property
    def title(self) -> str:
        """The resource as RBAC's own messages write it, like `deployments.apps`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


RULES = (
    # What an app's manifests may contain. A server-side apply that makes an object needs `create` beside `patch`.
    Rule("", "configmaps", _OWN),
    Rule("", "serviceaccounts", _OWN),
    Rule("", "services", _OWN),
    Rule("autoscaling", "horizontalpodautoscalers", _OWN),
    Rule("networking.k8s.io", "ingresses", _OWN),
    Rule("networking.k8s.io", "networkpolicies", _OWN),
    Rule("policy", "poddisruptionbudgets", _OWN),
    Rule("apps", "deployments", (*_OWN, "watch")),
    # What a rollout is judged by.
    Rule("", "endpoints", ("list", "watch")),
    Rule("", "events", ("list", "watch")),
    Rule("", "pods", ("list", "watch")),
    Rule("apps", "replicasets", ("list", "watch")),
    Rule("", "pods/log", ("get",)),
    # One side is asked on its own, through the API server: GET and POST.
    Rule("", "pods/proxy", ("create", "get")),
)


def rules(pull_secret: str) -> tuple[Rule, ...]:
    """Everything that the adapter uses, and no more. pull_secret: name of the Secret that releases bring, empty where they do not.

    It reads and writes that one Secret; RBAC cannot limit `create` to a name.
    Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
    """
    secrets = (Rule("", "secrets", ("create",)), Rule("", "secrets", ("get", "patch"), pull_secret))
    return (*RULES, *secrets) if pull_secret else RULES


def role_yaml(namespace: str, name: str, pull_secret: str) -> str:
    """A Role, a ServiceAccount of that name and the RoleBinding between them, for `kubectl apply`. pull_secret: as in `rules`."""
    place = {"name": name, "namespace": namespace}
    account = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    group = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": place, "rules": _grouped(rules(pull_secret))}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": place,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [account],
    }
    documents = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place}, role, binding]
    return "---\n".join(yaml.safe_dump(document, sort_keys=False) for document in documents)


async def missing(api: KubernetesApi, pull_secret: str) -> list[str]:
    """Every verb and resource that the cluster does not allow, like `patch deployments.apps`. Raises Broken.

    Asked one by one: a review of all rules at once is incomplete where a cluster does not decide by RBAC alone, as AKS with
    Azure RBAC. Source: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-rules-review-v1/
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def allowed(rule: Rule, verb: str) -> bool:
        resource, _, subresource = rule.resource.partition("/")
        async with limit:
            return await api.can(verb, rule.group, resource, subresource, rule.name)

    wanted = [(rule, verb) for rule in rules(pull_secret) for verb in rule.verbs]
    answers = await asyncio.gather(*(allowed(rule, verb) for rule, verb in wanted))
    return [
        f"{verb} {rule.title}{rule.name and f' {rule.name}'}" for (rule, verb), yes in zip(wanted, answers, strict=True) if not yes
    ]


def _grouped(all_rules: tuple[Rule, ...]) -> list[dict[str, Any]]:
    def key(rule: Rule) -> tuple[str, tuple[str, ...], str]:
        return rule.group, rule.verbs, rule.name

    return [
        {
            "apiGroups": [group],
            "resources": [rule.resource for rule in alike],
            "verbs": list(verbs),
            **({"resourceNames": [name]} if name else {}),
        }
        for (group, verbs, name), alike in groupby(sorted(all_rules, key=key), key)
    ]
