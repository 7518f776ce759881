"""An image's manifest: read in Docker's flavour or in OCI's, written in OCI's, which alone carries annotations.

Sources: https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
and https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nocturne.domain import digest
from nocturne.domain.errors import Broken, Rejected

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

ACCEPT = ", ".join((OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST))

_INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
_AS_OCI = {
    "application/vnd.docker.container.image.v1+json": OCI_CONFIG,
    "application/vnd.docker.image.rootfs.diff.tar": OCI_LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": f"{OCI_LAYER}+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar": "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
}


@dataclass(frozen=True)
class Descriptor:
    """A blob that a manifest names. extra: whatever else stands beside it (urls, annotations)."""

    media_type: str
    digest: str
    size: int
    extra: Mapping[str, Any]

    @property
    def distributable(self) -> bool:
        """Whether registries keep the blob; some base layers of Windows may only be had from their owner."""
        return "nondistributable" not in self.media_type

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {**self.extra, "mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class Manifest:
    """What one image is made of."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]

    def to_json(self) -> bytes:
        """As OCI writes it, always the same bytes for the same image."""
        content: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.config.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
        }
        if self.annotations:
            content["annotations"] = dict(self.annotations)
        return canonical(content)


def canonical(value: Any) -> bytes:
    """JSON without spaces and with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_manifest(content: bytes, media_type: str, source: str) -> Manifest:
    """Read one image's manifest, media types turned into OCI's. `source` names the image in errors.

    Raises Rejected for an index of several images, Broken for anything that no registry should hand out.
    """
    raw = parse_object(content, source)
    kind = raw.get("mediaType") or media_type.partition(";")[0].strip()
    if kind in _INDEXES or "manifests" in raw:
        raise _is_index(raw, source)
    if kind not in (OCI_MANIFEST, DOCKER_MANIFEST):
        raise Rejected(f"{source} is of type {kind!r}, expected {OCI_MANIFEST} or {DOCKER_MANIFEST}")
    try:
        layers = tuple(_descriptor(item) for item in raw["layers"])
        return Manifest(_descriptor(raw["config"]), layers, raw.get("annotations") or {})
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(f"{source} is not a whole manifest: {error!r}") from error


def parse_object(content: bytes, source: str) -> dict[str, Any]:
    """Read a JSON object. Raises Broken when it is none."""
    try:
        raw = json.loads(content)
    except ValueError as error:
        raise Broken(f"{source} is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise Broken(f"{source} is {type(raw).__name__}, expected a JSON object")
    return raw


def _descriptor(raw: dict[str, Any]) -> Descriptor:
    extra = {key: value for key, value in raw.items() if key not in ("mediaType", "digest", "size")}
    media_type = raw["mediaType"]
    return Descriptor(_AS_OCI.get(media_type, media_type), digest.check(raw["digest"]), int(raw["size"]), extra)


def _is_index(raw: dict[str, Any], source: str) -> Rejected:
    items = [item for item in raw.get("manifests") or [] if isinstance(item, dict)]
    platforms = [f"{_platform(item)} {item.get('digest')}" for item in items]
    return Rejected(
        f"{source} is an index of {len(items)} images, expected the manifest of one",
        advice=f"name the image for your platform by its own digest: {', '.join(platforms) or 'there is none'}",
    )


def _platform(item: dict[str, Any]) -> str:
    platform = item.get("platform") or {}
    return "/".join(platform[key] for key in ("os", "architecture", "variant") if platform.get(key)) or "unknown platform"
