"""An image's configuration with layers and labels added to it.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
"""

from collections.abc import Mapping, Sequence
from typing import Any

from nocturne.adapters.oci_registry.layer import Layer
from nocturne.adapters.oci_registry.manifest import canonical
from nocturne.domain.errors import Broken

CREATED_BY = "nocturne: append layer"


def labels(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The labels that an image carries."""
    return dict((configuration.get("config") or {}).get("Labels") or {})


def extended(base: Mapping[str, Any], layers: Sequence[Layer], added: Mapping[str, str], created: str, layer_count: int) -> bytes:
    """The configuration of `base` with `layers` on top, `added` over its labels, and `created` as its time.

    layer_count: layers of the base's manifest. Raises Broken when its configuration tells of another number.
    """
    below = (base.get("rootfs") or {}).get("diff_ids") or []
    if len(below) != layer_count:
        raise Broken(f"the base image's configuration has {len(below)} layers, but its manifest {layer_count}")
    settings = dict(base.get("config") or {})
    settings["Labels"] = {**labels(base), **added}
    rootfs = {"type": "layers", "diff_ids": [*below, *(layer.digest for layer in layers)]}
    history = [*_history(base, layer_count), *({"created": created, "created_by": CREATED_BY} for _ in layers)]
    return canonical({**base, "config": settings, "rootfs": rootfs, "history": history, "created": created})


def _history(base: Mapping[str, Any], layer_count: int) -> list[dict[str, Any]]:
    """History may be left out, but what there is must tell of every layer: the missing ones are filled in."""
    history = list(base.get("history") or [])
    told = sum(not entry.get("empty_layer") for entry in history)
    return history + [{"created_by": "base image"}] * (layer_count - told)
