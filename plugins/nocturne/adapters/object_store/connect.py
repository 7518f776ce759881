"""From settings to an open store. Nothing is sent before the first request."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from obstore.store import AzureStore, LocalStore

from nocturne.adapters.object_store.settings import StoreSettings
from nocturne.domain.errors import Broken, ConfigurationError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from obstore.store import AzureBearerToken, AzureConfig, ObjectStore

_SCOPE = "https://storage.azure.com/.default"
# Azurite refuses versions of the protocol that are newer than itself, and the Azure library always asks for its newest.
_API_VERSION = "2021-12-02"


def connect(settings: StoreSettings) -> "ObjectStore":
    """The store that the settings describe. Raises ConfigurationError with every fault."""
    return from_local(settings) if settings.kind == "local" else from_azure(settings)


def from_local(settings: StoreSettings) -> LocalStore:
    """A folder as a store. Raises ConfigurationError when there is no such folder."""
    path = settings.check().path
    if path is None or not path.is_dir():
        raise ConfigurationError("the model store's connection", [f"the folder {path} does not exist"])
    return LocalStore(path)


def from_azure(settings: StoreSettings) -> AzureStore:
    """A container of Azure Blob Storage, or of an emulator. Raises ConfigurationError."""
    settings.check()
    return AzureStore(
        settings.container,
        config={
            "account_name": settings.account,
            "endpoint": settings.account_url,
            # obstore also reads AZURE_* variables of the process; what decides is said here, so that none of them can.
            "use_emulator": False,
            "skip_signature": False,
            **_credentials(settings),
        },
        client_options={
            "allow_http": settings.account_url.startswith("http://"),
            "connect_timeout": "5s",
            # A large range on a slow line may take its time, as long as something arrives.
            "timeout": "30m",
            "read_timeout": timedelta(seconds=settings.retry_seconds),
        },
        retry_config={
            "retry_timeout": timedelta(seconds=settings.retry_seconds),
            "max_retries": 20,
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=4), "base": 2},
        },
        credential_provider=_bearer(settings.credential) if settings.credential else None,
    )


def ensure_container(settings: StoreSettings) -> bool:
    """Create the container or folder; False when it is there already. Raises ConfigurationError or Broken."""
    settings.check()
    if settings.path is not None:
        created = not settings.path.is_dir()
        settings.path.mkdir(parents=True, exist_ok=True)
        return created
    return _create_container(settings)


def _create_container(settings: StoreSettings) -> bool:
    # Imported here because it takes half a second and nothing else needs it: object stores know no containers.
    from azure.core.exceptions import AzureError, ResourceExistsError
    from azure.storage.blob import ContainerClient, LinearRetry

    key = {"account_name": settings.account, "account_key": settings.account_key}
    credential: Any = settings.credential or settings.sas_token or key
    client = ContainerClient(
        settings.account_url,
        settings.container,
        credential=credential,
        api_version=_API_VERSION,
        # Its default keeps trying for a minute and a half.
        retry_policy=LinearRetry(backoff=1, retry_total=2, random_jitter_range=0),
        connection_timeout=5,
        read_timeout=settings.retry_seconds,
    )
    try:
        with client:
            client.create_container()
    except ResourceExistsError:
        return False
    except AzureError as error:
        reason = str(error).partition("\n")[0]
        raise Broken(
            f"creating the container {settings.container} of {settings.account_url} failed: {reason}",
            advice="look at the account, its key and its URL",
        ) from error
    return True


def _credentials(settings: StoreSettings) -> "AzureConfig":
    if settings.account_key:
        return {"account_key": settings.account_key, "credential_type": "access_key"}
    if settings.sas_token:
        return {"sas_key": settings.sas_token, "credential_type": "sas_token"}
    return {}


def _bearer(credential: "TokenCredential") -> "Callable[[], AzureBearerToken]":
    def provide() -> "AzureBearerToken":
        token = credential.get_token(_SCOPE)
        return {"token": token.token, "expires_at": datetime.fromtimestamp(token.expires_on, UTC)}

    return provide
