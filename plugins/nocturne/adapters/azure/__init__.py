"""Azure: who we are there, its Kubernetes (AKS) and its registry (ACR)."""

from nocturne.adapters.azure.acr import RegistryLogin, RegistrySignIn
from nocturne.adapters.azure.aks import AksAccess, aks_access

__all__ = ["AksAccess", "RegistryLogin", "RegistrySignIn", "aks_access"]
