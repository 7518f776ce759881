"""Azure Blob Storage: the open store, and its container."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from obstore.store import AzureStore

from nocturne.adapters.object_store.client import client_options, retries
from nocturne.adapters.object_store.settings import StoreSettings
from nocturne.domain.errors import Broken

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from obstore.store import AzureBearerToken, AzureConfig

_SCOPE = "https://storage.azure.com/.default"
# Azurite refuses versions of the protocol that are newer than itself, and the Azure library always asks for its newest.
_API_VERSION = "2021-12-02"


def from_azure(settings: StoreSettings) -> AzureStore:
    """A container of Azure Blob Storage, or of an emulator. Raises ConfigurationError."""
    settings.check()
    return AzureStore(
        settings.container,
        config={
            "account_name": settings.account,
            "endpoint": settings.url,
            # obstore also reads AZURE_* variables of the process; what decides is said here, so that none of them can.
            "use_emulator": False,
            "skip_signature": False,
            **_credentials(settings),
        },
        client_options=client_options(settings),
        retry_config=retries(settings),
        credential_provider=_bearer(settings.credential) if settings.credential else None,
    )


def create_container(settings: StoreSettings) -> bool:
    """Create the container; False when it is there already. Raises Broken."""
    # Imported here because it takes half a second and nothing else needs it: object stores know no containers.
    from azure.core.exceptions import AzureError, ResourceExistsError
    from azure.storage.blob import ContainerClient, LinearRetry

    key = {"account_name": settings.account, "account_key": settings.account_key}
    credential: Any = settings.credential or settings.sas_token or key
    client = ContainerClient(
        settings.url,
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
            f"creating the container {settings.container} of {settings.url} failed: {reason}",
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
    # The client asks again some minutes before a token's end, so a download may outlast many of them.
    def provide() -> "AzureBearerToken":
        token = credential.get_token(_SCOPE)
        return {"token": token.token, "expires_at": datetime.fromtimestamp(token.expires_on, UTC)}

    return provide
