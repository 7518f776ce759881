"""The model store on Azure Blob Storage or in a local folder, through obstore."""

from nocturne.adapters.object_store.connect import connect, ensure_container, from_azure, from_local
from nocturne.adapters.object_store.model_store import ObjectModelStore
from nocturne.adapters.object_store.settings import StoreSettings

__all__ = ["ObjectModelStore", "StoreSettings", "connect", "ensure_container", "from_azure", "from_local"]
