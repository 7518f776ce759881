"""What the store's client raises, in plain words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from nocturne.domain.errors import Broken

# The first pattern found in the client's message decides. The client tells failures apart by text alone: a list request raises
# the same class whatever went wrong. Codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
_REASONS = (
    (r"<Code>(ContainerNotFound|ContainerBeingDeleted)<", "the container does not exist", "create it, or correct its name"),
    (r"<Code>ResourceNotFound<", "the storage account does not exist there", "correct the account's name or its URL"),
    (
        r"<Code>(AuthorizationPermissionMismatch|AuthorizationResourceTypeMismatch|AuthorizationServiceMismatch|InsufficientAccount\w+)<",
        "the credentials are good, but do not allow this",
        "give them the right to read, write and list blobs (Storage Blob Data Contributor)",
    ),
    (
        r"401 Unauthorized|403 Forbidden|Error getting credentials",
        "the credentials were refused (wrong or expired key, SAS token or identity)",
        "correct the password or the SAS token of the model store's connection",
    ),
    (r"dns error", "its host name is unknown", "correct the account's name or its URL, or see to the network's name service"),
    (r"ConnectionRefused", "nothing listens at its address", "start the store, or correct its URL"),
    (r"(?i)certificate|InvalidTls|HandshakeFailure", "its TLS certificate is not trusted", "add its authority to the system's"),
    (r"(?i)timed ?out|deadline", "it did not answer in time", "look at the store and at the network between"),
    (r"503 Service Unavailable|429 Too Many|<Code>ServerBusy<", "it is too busy", "try again later"),
)


def explain(error: Exception) -> tuple[str, str]:
    """Why the client failed, and what to do: two short texts without secrets."""
    text = str(error)
    for pattern, reason, advice in _REASONS:
        if re.search(pattern, text):
            return reason, advice
    first = text.partition("\n")[0][:300]
    return f"{type(error).__name__}: {first}", "look at the store and at the network between"


def container_is_missing(error: Exception) -> bool:
    """Whether what was not found is the container (or the account), not the blob. HEAD requests cannot tell."""
    return bool(re.search(r"<Code>(ContainerNotFound|ContainerBeingDeleted|ResourceNotFound)<", str(error)))


@contextmanager
def store_failures(doing: str) -> Iterator[None]:
    """Raise Broken in place of whatever the client raises inside; `doing` begins the message (`reading the blob a/b`)."""
    try:
        yield
    except (BaseError, FileNotFoundError, NotImplementedError, PermissionError) as error:
        reason, advice = explain(error)
        raise Broken(f"{doing} failed: {reason}", advice=advice) from error
