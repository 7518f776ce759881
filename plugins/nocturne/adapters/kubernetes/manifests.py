"""What an app brings to run on Kubernetes: plain objects, checked against everything that a release will need of them.

Exactly one Deployment, whose pods at least one Service selects and one of whose containers has the release's repository as its
image; the release puts the digest there. All faults are found at once.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from nocturne.adapters.kubernetes.documents import Document, read_documents
from nocturne.adapters.kubernetes.names import PREFIX, pod_labels
from nocturne.adapters.kubernetes.pod_security import security_faults
from nocturne.adapters.kubernetes.schema import schema_faults

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_RESOURCES = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


@dataclass(frozen=True)
class AppObjects:
    """The objects of an app, as it wrote them. deployment, services: those of them that a release changes."""

    objects: tuple[dict[str, Any], ...]
    repository: str
    deployment: dict[str, Any]
    services: tuple[dict[str, Any], ...]

    @property
    def name(self) -> str:
        """The Deployment's."""
        return str(self.deployment["metadata"]["name"])


def read_manifests(files: dict[str, str], namespace: str, repository: str) -> tuple[AppObjects | None, list[str]]:
    """The objects in files (path to text), and every fault; None when there is any.

    repository: of the release's image, without host and tag.
    """
    documents, faults = read_documents(files)
    breaches = [f"{document}: {fault}" for document in documents for fault in schema_faults(document.object)]
    faults += breaches
    for document in documents:
        faults += [f"{document}: {fault}" for fault in _metadata_faults(document, namespace)]
    faults += _twice(documents)
    deployments = [document for document in documents if document.object["kind"] == "Deployment"]
    if len(deployments) != 1:
        faults.append(f"found {len(deployments)} Deployments{_listed(deployments)}, expected exactly one")
    elif not breaches:
        # Only then are its fields of the shape that can be looked into.
        faults += _deployment_faults(deployments[0], documents, repository)
    if faults:
        return None, faults
    objects = tuple(document.object for document in documents)
    services = tuple(item for item in objects if item["kind"] == "Service" and selects(item, deployments[0].object))
    return AppObjects(objects, repository, deployments[0].object, services), []


def selects(service: dict[str, Any], deployment: dict[str, Any]) -> bool:
    """Whether a Service selects the pods of a Deployment."""
    selector = (service.get("spec") or {}).get("selector") or {}
    return bool(selector) and selector.items() <= pod_labels(deployment).items()


def is_of(image: str, repository: str) -> bool:
    """Whether a container's image is the release's: the same repository, or its last part, whatever the host, tag and digest."""
    path = image.partition("@")[0]
    host, slash, rest = path.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        path = rest
    head, _, last = path.rpartition("/")
    name = f"{head}/{last.partition(':')[0]}" if head else last.partition(":")[0]
    return name in (repository, repository.rpartition("/")[2])


def _metadata_faults(document: Document, namespace: str) -> list[str]:
    metadata = document.object["metadata"]
    faults: list[str] = []
    if not _NAME.fullmatch(metadata["name"]):
        faults.append(f"metadata.name: found {metadata['name']!r}, expected lower-case letters, digits and hyphens")
    if metadata.get("namespace", namespace) != namespace:
        faults.append(f"metadata.namespace: found {metadata['namespace']!r}, expected none, or {namespace!r} of the environment")
    for key in ("labels", "annotations"):
        given = metadata.get(key)
        ours = sorted(name for name in given if str(name).startswith(PREFIX)) if isinstance(given, dict) else []
        if ours:
            faults.append(f"metadata.{key}: found {', '.join(ours)}, expected none with {PREFIX}, which a release writes itself")
    return faults


def _twice(documents: list[Document]) -> list[str]:
    count = Counter((document.object["kind"], document.object["metadata"]["name"]) for document in documents)
    return [f"{kind} {name}: found {number} of them, expected one" for (kind, name), number in count.items() if number > 1]


def _deployment_faults(deployment: Document, documents: list[Document], repository: str) -> list[str]:
    template = deployment.object["spec"]["template"]
    containers = (template.get("spec") or {}).get("containers") or []
    own = [container for container in containers if is_of(str(container.get("image") or ""), repository)]
    faults: list[str] = []
    if not own:
        images = ", ".join(str(container.get("image")) for container in containers) or "none"
        faults.append(f"spec.template.spec.containers: found the images {images}, expected one of {repository}, which is released")
    faults += [
        f"container {container['name']}: found no readinessProbe, expected one: without it every pod counts as ready"
        for container in own
        if not container.get("readinessProbe")
    ]
    for container in containers:
        given = container.get("resources") or {}
        lacking = [f"{part}.{key}" for part, key in _RESOURCES if key not in (given.get(part) or {})]
        if lacking:
            faults.append(f"container {container['name']}: resources: found no {', '.join(lacking)}, expected them")
    faults += security_faults(template)
    faults = [f"{deployment}: {fault}" for fault in faults]
    services = [document.object for document in documents if document.object["kind"] == "Service"]
    if not any(selects(service, deployment.object) for service in services):
        faults.append(f"{deployment}: found no Service that selects its pods, expected one")
    return faults


def _listed(documents: list[Document]) -> str:
    return f" ({', '.join(map(str, documents))})" if documents else ""
