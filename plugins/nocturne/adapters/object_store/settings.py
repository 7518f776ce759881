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
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential
    from obstore.store import S3Credential

# https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#container-names
_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class StoreSettings:
    """One container of Azure Blob Storage, one bucket of S3, or one local folder. Secrets are kept out of its repr.

    container, account: for azure, with one of account_key, sas_token and credential. bucket, region: for s3, with
    access_key_id and secret_access_key (and session_token where they are temporary), or keys, which is asked again when they end.
    endpoint: the base URL of the account or of an S3 service, left out for Azure and AWS themselves. path: for local.
    retry_seconds: how long a request that fails, or hears nothing, is kept up before it counts as broken.
    """

    kind: Literal["azure", "s3", "local"]
    container: str = ""
    account: str = ""
    account_key: str = field(default="", repr=False)
    sas_token: str = field(default="", repr=False)
    credential: "TokenCredential | None" = field(default=None, repr=False)
    endpoint: str = ""
    path: Path | None = None
    retry_seconds: float = 30.0
    bucket: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    keys: "Callable[[], S3Credential] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The base URL of the account, or of the region's S3, without a slash at its end."""
        return self.endpoint.rstrip("/") or (_aws_url(self.region) if self.kind == "s3" else _azure_url(self.account))

    def faults(self) -> list[str]:
        """Everything that is wrong with the settings by themselves; empty when a connection can be tried."""
        if self.kind == "local":
            return [] if self.path else ["path is missing: expected the folder that holds the models"]
        place = self._s3_faults() if self.kind == "s3" else self._azure_faults()
        return [fault for fault in (*place, self._endpoint_fault()) if fault]

    def check(self) -> "StoreSettings":
        """The settings themselves, or ConfigurationError with every fault."""
        if faults := self.faults():
            raise ConfigurationError("the model store's connection", faults)
        return self

    def _azure_faults(self) -> list[str]:
        container = f"container is {self.container!r}, expected 3 to 63 lower-case letters, digits and single hyphens"
        return [
            "" if _CONTAINER.fullmatch(self.container) else container,
            "" if self.account else "account is missing: expected the name of the storage account",
            self._credential_fault(),
        ]

    def _credential_fault(self) -> str:
        given = [self.account_key, self.sas_token, self.credential]
        if (count := sum(map(bool, given))) != 1:
            return f"found {count} credentials, expected one: an account key, a SAS token or an identity"
        if self.account_key and not _is_base64(self.account_key):
            return "the account key is not base64: expected it as the Azure portal shows it"
        return ""

    def _s3_faults(self) -> list[str]:
        bucket = f"bucket is {self.bucket!r}, expected 3 to 63 lower-case letters, digits, dots and hyphens"
        region = f"region is {self.region!r}, expected a name such as eu-west-1"
        return [
            "" if _BUCKET.fullmatch(self.bucket) else bucket,
            "" if _REGION.fullmatch(self.region) else region,
            self._keys_fault(),
        ]

    def _keys_fault(self) -> str:
        if self.keys:
            return "found access keys and an identity, expected one of them" if self.access_key_id else ""
        if self.access_key_id and self.secret_access_key:
            return ""
        missing = "secret access key" if self.access_key_id else "access key id"
        return f"the {missing} is missing: expected access key id and secret access key, or an identity"

    def _endpoint_fault(self) -> str:
        parts = urlsplit(self.url)
        if parts.scheme in ("http", "https") and parts.netloc:
            return ""
        example = "https://s3.example.com" if self.kind == "s3" else "https://ACCOUNT.blob.core.windows.net"
        return f"endpoint is {self.endpoint!r}, expected a URL such as {example}"


def _azure_url(account: str) -> str:
    return f"https://{account}.blob.core.windows.net"


def _aws_url(region: str) -> str:
    # https://docs.aws.amazon.com/general/latest/gr/s3.html
    return f"https://s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
