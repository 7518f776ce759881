"""Objects of an app as a release applies them, made by hand for what looks at objects only."""

from typing import Any

from nocturne.adapters.kubernetes import names
from tests.integration.kubernetes.manifests import APP, config_map, deployment, disruption_budget, service, service_account


def released(item: dict[str, Any], app: str = APP, run: str = "run-1") -> dict[str, Any]:
    """The same with what marks it as the app's."""
    metadata = item["metadata"]
    labels = {**metadata.get("labels", {}), **names.object_labels(app)}
    annotations = {names.RELEASE: "r-1", names.RUN: run}
    return {**item, "metadata": {**metadata, "labels": labels, "annotations": annotations}}


def released_app(run: str = "run-1", image: str = "localhost:9/test-app:none", **settings: str) -> list[dict[str, Any]]:
    """All objects of an app that runs nothing: its image is nowhere, and the number of replicas is 0."""
    wanted = deployment(replicas=0)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = image
    configuration = config_map("settings", **{"colour": "red", **settings})
    items = [service_account(), configuration, wanted, service(), disruption_budget()]
    return [released(item, run=run) for item in items]
