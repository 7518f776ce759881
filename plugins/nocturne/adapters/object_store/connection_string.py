"""Azure's connection strings."""

from urllib.parse import urlsplit

from nocturne.adapters.object_store.settings import StoreSettings


def from_connection_string(text: str, container: str) -> StoreSettings:
    """The settings that an Azure connection string stands for, not checked yet.

    Source: https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
    """
    pairs = dict(part.split("=", 1) for part in text.strip().strip(";").split(";") if "=" in part)
    account = pairs.get("AccountName", "")
    endpoint = pairs.get("BlobEndpoint", "")
    if not endpoint and account:
        scheme, suffix = pairs.get("DefaultEndpointsProtocol", "https"), pairs.get("EndpointSuffix", "core.windows.net")
        endpoint = f"{scheme}://{account}.blob.{suffix}"
    return StoreSettings(
        kind="azure",
        container=container,
        account=account or account_of(endpoint),
        account_key=pairs.get("AccountKey", ""),
        sas_token=pairs.get("SharedAccessSignature", ""),
        endpoint=endpoint,
    )


def account_of(endpoint: str) -> str:
    """The account's name in its URL: the first label of Azure's host, the first part of the path elsewhere (emulators)."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    return host.split(".")[0] if ".blob." in host else parts.path.strip("/").split("/")[0]
