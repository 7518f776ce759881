"""From an app's objects and a release to the objects that are applied, in each slot and stage.

A release adds: its image by digest, labels and annotations, the slot, the pull secret's name. The rest is as the app wrote it.
"""

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.kinds import KINDS
from nocturne.adapters.kubernetes.manifests import AppObjects, is_of, selects
from nocturne.adapters.kubernetes.ownership import SERVERS_OWN
from nocturne.adapters.kubernetes.public_address import rank
from nocturne.ports.cluster import DesiredState

Object = dict[str, Any]

_FOLLOWERS = ("NetworkPolicy", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Ingress")
"""They say who gets users, what keeps them served and who may speak with whom, for the pods of every slot: they follow the release
only when all users do."""


@dataclass(frozen=True)
class PullSecret:
    """How the nodes sign in to the registry. name: of a Secret in the namespace.

    With a login the Secret is applied with every release; without one it is there already, made by somebody else. host: of the
    registry.
    """

    name: str
    host: str = ""
    login: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Rendering:
    """One release of an app, about to be applied."""

    app: str
    objects: AppObjects
    desired: DesiredState
    pull_secret: PullSecret | None = None

    def companions(self) -> list[Object]:
        """What pods need before they start, in the order in which it is applied."""
        found = [item for item in self.objects.objects if item["kind"] not in (*_FOLLOWERS, "Deployment")]
        rendered = [self._own(item) for item in found]
        if self.pull_secret and self.pull_secret.login:
            rendered.append(self._own(_secret(self.pull_secret)))
        return _in_order(rendered)

    def deployment(self, slot: str, replicas: int | None = None) -> Object:
        """The Deployment of a slot. replicas: None for the manifest's."""
        rendered = self._deployment({names.SLOT: str(slot)})
        rendered["metadata"]["name"] = names.deployment_name(self.objects.name, slot)
        if slot != names.Slot.MAIN:
            _select(rendered, {names.SLOT: str(slot)})
        return self._scaled(rendered, replicas)

    def canary(self, replicas: int) -> Object:
        """The Deployment of a share of the main slot's users."""
        track = {names.TRACK: names.CANARY}
        rendered = self._deployment({names.SLOT: str(names.Slot.MAIN), **track})
        rendered["metadata"]["name"] = names.canary_name(self.objects.name)
        _select(rendered, track)
        return self._scaled(rendered, replicas)

    def followers(self, slot: str) -> list[Object]:
        """What sends the users to a slot, and keeps it served, in the order in which it is applied."""
        rendered = [self._own(item) for item in self.objects.objects if item["kind"] in _FOLLOWERS]
        for item in rendered:
            if item["kind"] == "Service":
                _with_protocols((item["spec"] or {}).get("ports"))
                if selects(item, self.objects.deployment):
                    item["spec"]["selector"] = {**item["spec"]["selector"], **self._slot(slot)}
                    item["metadata"]["annotations"][names.SLOT] = str(slot)
            elif item["kind"] == "PodDisruptionBudget":
                # The pods of another slot must not count as those that have to stay.
                _keep_slot(item["spec"], self.objects.deployment, self._slot(slot))
            elif item["kind"] == "HorizontalPodAutoscaler":
                target = item["spec"]["scaleTargetRef"]
                if target.get("kind") == "Deployment" and target.get("name") == self.objects.name:
                    item["spec"]["scaleTargetRef"] = {**target, "name": names.deployment_name(self.objects.name, slot)}
        return _in_order(rendered)

    def whole(self, slot: str, replicas: int | None = None) -> list[Object]:
        """Everything that the release consists of when all users get it."""
        return [*self.companions(), self.deployment(slot, replicas), *self.followers(slot)]

    def services(self, slot: str) -> list[Object]:
        """Those Services that send users to a slot."""
        return [one for one in self.followers(slot) if one["kind"] == "Service" and one["metadata"]["name"] in self.service_names]

    @property
    def replicas(self) -> int:
        """The number that the manifest asks for."""
        given = self.objects.deployment["spec"].get("replicas")
        return 1 if given is None else int(given)

    @property
    def match_labels(self) -> dict[str, str]:
        """The labels by which the manifest's Deployment knows its pods; those of every slot have them."""
        return dict(self.objects.deployment["spec"]["selector"].get("matchLabels") or {})

    @property
    def service_names(self) -> set[str]:
        """The names of all Services that select the pods."""
        return {str(item["metadata"]["name"]) for item in self.objects.services}

    @property
    def service(self) -> str:
        """The name of the Service that users come through, of those that select the pods."""
        return str(min(self.objects.services, key=rank)["metadata"]["name"])

    def _slot(self, slot: str) -> dict[str, str]:
        # With the app: another environment's pods may have all other labels in common.
        return {names.APP: self.app, names.SLOT: str(slot)}

    def _own(self, item: Object) -> Object:
        rendered = {key: value for key, value in copy.deepcopy(item).items() if key != "status"}
        metadata = {key: value for key, value in rendered["metadata"].items() if key not in SERVERS_OWN}
        metadata["labels"] = {**(metadata.get("labels") or {}), **names.object_labels(self.app)}
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **names.object_annotations(self.desired)}
        return {**rendered, "metadata": metadata}

    def _deployment(self, labels: dict[str, str]) -> Object:
        rendered = self._own(self.objects.deployment)
        template = rendered["spec"]["template"]
        metadata = {key: value for key, value in (template.get("metadata") or {}).items() if key not in SERVERS_OWN}
        metadata["labels"] = {**(metadata.get("labels") or {}), names.APP: self.app, **labels}
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **names.pod_annotations(self.desired)}
        template["metadata"] = metadata
        for container in _containers(template["spec"]):
            _with_protocols(container.get("ports"))
            if is_of(str(container.get("image") or ""), self.objects.repository):
                container["image"] = self.desired.image
        if self.pull_secret:
            known = template["spec"].get("imagePullSecrets") or []
            others = [one for one in known if one.get("name") != self.pull_secret.name]
            template["spec"]["imagePullSecrets"] = [*others, {"name": self.pull_secret.name}]
        return rendered

    def _scaled(self, rendered: Object, replicas: int | None) -> Object:
        rendered["spec"]["replicas"] = self.replicas if replicas is None else replicas
        rendered["metadata"]["annotations"][names.REPLICAS] = str(self.replicas)
        return rendered


def _select(deployment: Object, labels: dict[str, str]) -> None:
    selector = deployment["spec"]["selector"]
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), **labels}


def _keep_slot(budget: Object, deployment: Object, labels: dict[str, str]) -> None:
    """Narrow a budget for the app's pods to those of a slot."""
    selector = budget.get("selector") or {}
    known = selector.get("matchLabels") or {}
    if known.items() <= names.pod_labels(deployment).items():
        budget["selector"] = {**selector, "matchLabels": {**known, **labels}}


def _containers(spec: Object) -> Iterator[Object]:
    for group in ("initContainers", "containers"):
        yield from spec.get(group) or []


def _with_protocols(ports: list[Object] | None) -> None:
    # Before 1.21 server-side apply refuses a port that names none.
    for port in ports or []:
        port.setdefault("protocol", "TCP")


def _in_order(rendered: list[Object]) -> list[Object]:
    return sorted(rendered, key=lambda item: KINDS[item["kind"]].order or 0)


def _secret(pull_secret: PullSecret) -> Object:
    """Source: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/"""
    pair = base64.b64encode(f"{pull_secret.login}:{pull_secret.password}".encode()).decode()
    login = {"username": pull_secret.login, "password": pull_secret.password, "auth": pair}
    content = json.dumps({"auths": {pull_secret.host: login}}).encode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": pull_secret.name},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(content).decode()},
    }
