"""From settings to an open store. Nothing is sent before the first request."""

from typing import TYPE_CHECKING

from obstore.store import LocalStore

from nocturne.adapters.object_store.azure import create_container, from_azure
from nocturne.adapters.object_store.s3 import create_bucket, from_s3
from nocturne.adapters.object_store.settings import StoreSettings
from nocturne.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from obstore.store import ObjectStore


def connect(settings: StoreSettings) -> "ObjectStore":
    """The store that the settings describe. Raises ConfigurationError with every fault."""
    match settings.kind:
        case "azure":
            return from_azure(settings)
        case "s3":
            return from_s3(settings)
        case "local":
            return from_local(settings)


def from_local(settings: StoreSettings) -> LocalStore:
    """A folder as a store. Raises ConfigurationError when there is no such folder."""
    path = settings.check().path
    if path is None or not path.is_dir():
        raise ConfigurationError("the model store's connection", [f"the folder {path} does not exist"])
    return LocalStore(path)


def ensure_container(settings: StoreSettings) -> bool:
    """Create the container, bucket or folder; False when it is there already. Raises ConfigurationError or Broken."""
    settings.check()
    if settings.path is not None:
        created = not settings.path.is_dir()
        settings.path.mkdir(parents=True, exist_ok=True)
        return created
    return create_bucket(settings) if settings.kind == "s3" else create_container(settings)
