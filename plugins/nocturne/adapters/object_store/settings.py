"""Where a model store is and how to get in, as plain values."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from nocturne.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#container-names
_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}")


@dataclass(frozen=True)
class StoreSettings:
    """One container of Azure Blob Storage, or one local folder. Secrets are kept out of its repr.

    container, account, endpoint: for azure; endpoint is the account's base URL, and may be left out for Azure itself
    (`https://ACCOUNT.blob.core.windows.net`). One of account_key, sas_token and credential is needed. path: for local.
    retry_seconds: how long a request that fails, or hears nothing, is kept up before it counts as broken.
    """

    kind: Literal["azure", "local"]
    container: str = ""
    account: str = ""
    account_key: str = field(default="", repr=False)
    sas_token: str = field(default="", repr=False)
    credential: "TokenCredential | None" = field(default=None, repr=False)
    endpoint: str = ""
    path: Path | None = None
    retry_seconds: float = 30.0

    @property
    def account_url(self) -> str:
        """The base URL of the account, without a slash at its end."""
        return self.endpoint.rstrip("/") or f"https://{self.account}.blob.core.windows.net"

    def faults(self) -> list[str]:
        """Everything that is wrong with the settings by themselves; empty when a connection can be tried."""
        if self.kind == "local":
            return [] if self.path else ["path is missing: expected the folder that holds the models"]
        return list(
            filter(None, (self._container_fault(), self._account_fault(), self._credential_fault(), self._endpoint_fault()))
        )

    def check(self) -> "StoreSettings":
        """The settings themselves, or ConfigurationError with every fault."""
        if faults := self.faults():
            raise ConfigurationError("the model store's connection", faults)
        return self

    def _container_fault(self) -> str:
        if _CONTAINER.fullmatch(self.container):
            return ""
        return f"container is {self.container!r}, expected 3 to 63 lower-case letters, digits and single hyphens"

    def _account_fault(self) -> str:
        return "" if self.account else "account is missing: expected the name of the storage account"

    def _credential_fault(self) -> str:
        given = [self.account_key, self.sas_token, self.credential]
        if (count := sum(map(bool, given))) != 1:
            return f"found {count} credentials, expected one: an account key, a SAS token or an identity"
        if self.account_key and not _is_base64(self.account_key):
            return "the account key is not base64: expected it as the Azure portal shows it"
        return ""

    def _endpoint_fault(self) -> str:
        parts = urlsplit(self.account_url)
        if parts.scheme in ("http", "https") and parts.netloc:
            return ""
        return f"endpoint is {self.endpoint!r}, expected a URL such as https://ACCOUNT.blob.core.windows.net"


def from_connection_string(text: str, container: str) -> StoreSettings:
    """The settings that an Azure connection string stands for. Raises ConfigurationError.

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
    ).check()


def account_of(endpoint: str) -> str:
    """The account's name in its URL: the first label of Azure's host, the first part of the path elsewhere (emulators)."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    return host.split(".")[0] if ".blob." in host else parts.path.strip("/").split("/")[0]


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
