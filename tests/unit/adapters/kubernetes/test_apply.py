"""What applying does when somebody writes at the same moment; the API is one that behaves so every time."""

import asyncio
import copy
from typing import Any, cast

import pytest

from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.apply import apply
from nocturne.adapters.kubernetes.drift import differences
from nocturne.domain.errors import Conflict
from nocturne.domain.strategy import Drift

Object = dict[str, Any]

OURS = {"manager": "nocturne", "operation": "Apply", "fieldsV1": {"f:data": {"f:colour": {}}}}
THEIRS = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:shape": {}}}}
METADATA = {"name": "web", "labels": {"nocturne.io/app": "digits.production"}, "resourceVersion": "1"}


class BusyApi:
    """One live object that moves for so many attempts to own it; looks: what it is at each look, the last one for ever."""

    def __init__(self, *looks: Object, moves: int = 0) -> None:
        self._looks = list(looks)
        self._moves = moves
        self.applied: list[Object] = []

    async def get(self, kind: str, name: str, version: str = "") -> Object:
        if kind != self._looks[0]["kind"] or name != "web":
            raise AssertionError(f"asked for {kind} {name}")
        return copy.deepcopy(self._looks.pop(0) if len(self._looks) > 1 else self._looks[0])

    async def apply(self, kind: str, item: Object, *, force: bool = False, dry_run: bool = False) -> Object:
        if not dry_run:
            self.applied.append(item)
        if item["metadata"]["name"] != "web":
            return item
        return {**copy.deepcopy(self._looks[0]), **{key: item[key] for key in ("spec",) if key in item}}

    async def own(self, live: Object, managed_fields: list[Object]) -> None:
        if self._moves:
            self._moves -= 1
            raise Conflict("changed while it was looked at")


def applying(api: BusyApi, item: Object, scaled: str = "") -> bool:
    call = apply(cast(KubernetesApi, api), [item], Drift.CORRECT, is_live=False, scaled=scaled, log=lambda _: None)
    return asyncio.run(call)


def added_to() -> tuple[Object, Object]:
    """A ConfigMap as we apply it, and as it is with something added."""
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": METADATA, "data": {"colour": "red"}}
    live = {**wanted, "metadata": {**METADATA, "managedFields": [OURS, THEIRS]}, "data": {"colour": "red", "shape": "round"}}
    return wanted, live


def test_taken_over_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who writes between the look and the take-over makes it start again, a few times and not for ever."""
    monkeypatch.setattr("nocturne.adapters.kubernetes.apply._AGAIN_SECONDS", 0)
    wanted, live = added_to()
    api = BusyApi(live, moves=4)
    assert applying(api, wanted)
    assert api.applied == [wanted]
    with pytest.raises(Conflict):
        applying(BusyApi(live, moves=99), wanted)


def scaled_to(replicas: int) -> Object:
    annotations = {"nocturne.io/replicas": "2"}
    metadata = {**METADATA, "annotations": annotations, "managedFields": [OURS]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas}}


def test_scaled_meanwhile() -> None:
    """A number that an autoscaler writes after the situation was read is applied as it is, in the Deployment that users get."""
    wanted = {**scaled_to(2), "spec": {"replicas": 2, "paused": False}}
    api = BusyApi(scaled_to(2), scaled_to(7))
    applying(api, wanted, scaled="web")
    assert [one["spec"]["replicas"] for one in api.applied] == [7]
    api = BusyApi(scaled_to(2), scaled_to(7))
    applying(api, wanted, scaled="web-blue")
    assert [one["spec"]["replicas"] for one in api.applied] == [2]


def test_no_secret_in_drift() -> None:
    """What a Secret holds is in no sentence about drift, which is shown and recorded."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": METADATA, "data": {".dockerconfigjson": "bmV3"}}
    live = {**secret, "data": {".dockerconfigjson": "b2xk"}}
    assert asyncio.run(differences(cast(KubernetesApi, BusyApi(live)), [secret])) == []
