"""What the store's client raises, in our own terms."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs

from obstore.exceptions import BaseError

from nocturne.adapters.object_store.reasons import REASONS
from nocturne.domain.errors import Broken

_NO_TOKEN = re.compile(
    r"External \w+ credential provider: \w+: (.+?)\s*(?:What to do: (.+?)\s*)?(?:\n\nDebug source|\Z)", re.DOTALL
)
_BUSY = re.compile(r"status code: (?:429|503) |<Code>(?:ServerBusy|SlowDown|TooManyRequests)<")
_PASSING = re.compile(r"status code: (?:408|429|5\d\d) |HTTP error: ")
_TLS = re.compile(r"(?i)certificate|InvalidTls|HandshakeFailure")


def explain(error: Exception, sas_token: str = "") -> tuple[str, str]:
    """Why the client failed, and what to do: two short texts without secrets. sas_token: the one in use, for its end."""
    text = str(error)
    if found := _NO_TOKEN.search(text):
        return f"no credentials: {' '.join(found[1].split())[:500]}", found[2] or "see to the login of the model store's connection"
    if re.search(r"status code: 40[13] ", text) and (ended := sas_token_ended(sas_token)):
        return f"the SAS token ended on {ended:%Y-%m-%d at %H:%M} UTC", "put a new one into the model store's connection"
    for pattern, reason, advice in REASONS:
        if match := re.search(pattern, text):
            return reason.format(*match.groups()), advice.format(*match.groups())
    first = text.partition("\n")[0][:300]
    return f"{type(error).__name__}: {first}", "look at the store and at the network between"


def sas_token_ended(token: str) -> datetime | None:
    """When a SAS token ended, by our clock; None when it did not, or does not say (a stored policy does).

    Source: https://learn.microsoft.com/rest/api/storageservices/create-service-sas, the field `se`
    """
    end = parse_qs(token.lstrip("?")).get("se", [""])[0]
    try:
        ends = datetime.fromisoformat(end)
    except ValueError:
        return None
    ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    return ends.astimezone(UTC) if ends < datetime.now(UTC) else None


def is_busy(error: Exception) -> bool:
    """Whether the store said that it has too much to do."""
    return bool(_BUSY.search(str(error)))


def is_passing(error: Exception) -> bool:
    """Whether the same request may do well the next time: the line or the store failed, and nothing was refused."""
    text = str(error)
    return bool(_PASSING.search(text)) and not _TLS.search(text)


def container_is_missing(error: Exception) -> bool:
    """Whether what was not found is the container (or the account, or the bucket), not the blob. HEAD requests cannot tell."""
    return bool(re.search(r"<Code>(ContainerNotFound|ContainerBeingDeleted|ResourceNotFound|NoSuchBucket)<", str(error)))


@contextmanager
def store_failures(doing: str, sas_token: str = "") -> Iterator[None]:
    """Raise Broken in place of whatever the client raises inside; `doing` begins the message (`reading the blob a/b`)."""
    try:
        yield
    except (BaseError, FileNotFoundError, NotImplementedError, PermissionError) as error:
        reason, advice = explain(error, sas_token)
        raise Broken(f"{doing} failed: {reason}", advice=advice) from error
