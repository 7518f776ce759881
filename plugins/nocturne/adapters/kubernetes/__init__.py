"""Kubernetes as the place where a release runs.

The app brings plain manifests (see `manifests`); a release is put in by server-side apply, and watched until it is complete.
"""

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.cluster import KubernetesCluster
from nocturne.adapters.kubernetes.permissions import role_yaml
from nocturne.adapters.kubernetes.rendering import PullSecret

__all__ = ["Access", "KubernetesCluster", "PullSecret", "role_yaml"]
