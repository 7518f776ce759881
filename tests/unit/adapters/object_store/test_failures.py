"""The client's errors in plain words."""

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError

from nocturne.adapters.object_store.failures import explain, store_failures
from nocturne.domain.errors import Broken, Rejected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("404 Not Found: <Error><Code>ContainerNotFound</Code>", "the container does not exist"),
        ("403 Forbidden: <Error><Code>AuthorizationPermissionMismatch</Code>", "do not allow this"),
        ("403 Forbidden: <Error><Code>AuthenticationFailed</Code>", "the credentials were refused"),
        ("invalid peer certificate: UnknownIssuer", "its TLS certificate is not trusted"),
        ("operation timed out", "it did not answer in time"),
        ("503 Service Unavailable: <Code>ServerBusy</Code>", "it is too busy"),
    ],
)
def test_each_failure_has_its_own_reason(text: str, reason: str) -> None:
    """What went wrong is told from the text of the client's error."""
    assert reason in explain(GenericError(text))[0]


def test_an_unknown_failure_is_passed_on_in_one_line() -> None:
    """An error that nobody foresaw keeps its first line, without the pages that follow it."""
    assert explain(GenericError("odd\nDebug source: pages")) == (
        "GenericError: odd",
        "look at the store and at the network between",
    )


def test_whatever_the_client_raises_becomes_broken() -> None:
    """Errors of the client become Broken; those of Nocturne pass as they are."""
    with (
        pytest.raises(Broken, match="reading the blob a failed: the credentials were refused"),
        store_failures("reading the blob a"),
    ):
        raise PermissionDeniedError("403 Forbidden")
    with pytest.raises(Rejected), store_failures("reading the blob a"):
        raise Rejected("its own fault")
