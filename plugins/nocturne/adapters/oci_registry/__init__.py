"""An OCI registry over its HTTP API, without a container engine.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from nocturne.adapters.oci_registry.authorization import Credentials
from nocturne.adapters.oci_registry.registry import OciRegistry

__all__ = ["Credentials", "OciRegistry"]
