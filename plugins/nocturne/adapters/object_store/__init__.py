"""The model store on Azure Blob Storage, S3 or in a local folder, through obstore."""

from nocturne.adapters.object_store.aws_identity import AwsIdentity
from nocturne.adapters.object_store.connect import connect, ensure_container
from nocturne.adapters.object_store.model_store import ObjectModelStore
from nocturne.adapters.object_store.settings import StoreSettings

__all__ = ["AwsIdentity", "ObjectModelStore", "StoreSettings", "connect", "ensure_container"]
