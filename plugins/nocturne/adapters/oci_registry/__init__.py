"""An OCI registry over its HTTP API, without a container engine.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from nocturne.adapters.oci_registry.credentials import Credentials, CredentialsNow
from nocturne.adapters.oci_registry.registry import OciRegistry

__all__ = ["Credentials", "CredentialsNow", "OciRegistry"]
