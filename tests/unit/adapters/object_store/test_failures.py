"""The client's errors in plain words."""

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError, UnauthenticatedError

from nocturne.adapters.object_store.failures import explain, is_busy, is_passing, sas_token_ended, store_failures
from nocturne.domain.errors import Broken, Rejected

# As the real services answer, shortened; each from the report of somebody who got it.
AZURE_OLD_DATE = (  # https://github.com/Azure/azure-sdk-for-js/issues/5433
    "status code: 403 Forbidden: <Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request."
    "</Message><AuthenticationErrorDetail>Request date header too old: 'Fri, 04 Oct 2019 18:02:12 GMT'"
    "</AuthenticationErrorDetail></Error>"
)
AZURE_EXPIRED_SAS = (  # https://github.com/microsoft/AzureStorageExplorer/issues/3219
    "status code: 403 Forbidden: <Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Signature not valid in the "
    "specified time frame: Start [Thu, 09 Jul 2020 10:11:03 GMT] - Expiry [Thu, 09 Jul 2020 18:11:03 GMT] - "
    "Current [Fri, 10 Jul 2020 10:16:22 GMT]</AuthenticationErrorDetail></Error>"
)
AZURE_FIREWALL = (  # https://learn.microsoft.com/troubleshoot/azure/azure-storage/blobs/authentication/storage-troubleshoot-403-errors
    "status code: 403 Forbidden: <Error><Code>AuthorizationFailure</Code><Message>This request is not authorized to perform this "
    "operation.</Message></Error>"
)
S3_REGION = (  # https://github.com/s3fs-fuse/s3fs-fuse/issues/1186
    "status code: 400 Bad Request: <Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; "
    "the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>"
)
S3_SKEWED = (  # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "status code: 403 Forbidden: <Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the "
    "current time is too large.</Message><RequestTime>20261122T020000Z</RequestTime>"
    "<ServerTime>2026-11-22T03:10:00Z</ServerTime></Error>"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("404 Not Found: <Error><Code>ContainerNotFound</Code>", "the container does not exist"),
        ("403 Forbidden: <Error><Code>AuthorizationPermissionMismatch</Code>", "do not allow this"),
        ("403 Forbidden: <Error><Code>AuthenticationFailed</Code>", "the credentials were refused"),
        (AZURE_OLD_DATE, "this machine's clock is wrong: the request says Fri, 04 Oct 2019"),
        (AZURE_EXPIRED_SAS, "to Thu, 09 Jul 2020 18:11:03 GMT, and it is Fri, 10 Jul 2020"),
        (AZURE_FIREWALL, "network rules do not let this machine in"),
        ("403 Forbidden: <Code>KeyBasedAuthenticationNotPermitted</Code>", "allows no keys"),
        ("401 Unauthorized: <Code>InvalidAuthenticationInfo</Code>", "the identity's token is not accepted"),
        ("403: The MAC signature found in the HTTP request 'x' is not the same", "the key is not this account's"),
        ("404 Not Found: <Error><Code>NoSuchBucket</Code>", "the bucket does not exist"),
        ("403 Forbidden: <Code>InvalidAccessKeyId</Code>", "nobody has this access key id"),
        ("403 Forbidden: <Code>SignatureDoesNotMatch</Code>", "the secret access key is not that of the access key id"),
        ("403 Forbidden: <Code>AccessDenied</Code>", "the credentials are good, but do not allow this"),
        ("400 Bad Request: <Code>ExpiredToken</Code>", "the session token has ended"),
        ("400 Bad Request: <Code>InvalidToken</Code>", "the session token does not belong to the access key"),
        (S3_REGION, "the bucket is in the region eu-west-1, not in us-east-1"),
        ("Received redirect without LOCATION, this normally indicates", "the bucket is in another region"),
        (S3_SKEWED, "this machine's clock is wrong: the store's says 2026-11-22T03:10:00Z"),
        ("invalid peer certificate: UnknownIssuer", "its TLS certificate is not trusted"),
        ("operation timed out", "it did not answer in time"),
        ("503 Service Unavailable: <Code>ServerBusy</Code>", "it is too busy"),
        ("503: <Code>SlowDown</Code>", "it is too busy"),
        ("HTTP error: request or response body error", "the connection breaks off again and again"),
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


def test_a_sas_token_that_ended_says_when() -> None:
    """Where a store only refuses, the end that is written in the token is told, in UTC, and not the token."""
    refused = PermissionDeniedError("status code: 403 Forbidden: <Code>AuthorizationFailure</Code>")
    reason, advice = explain(refused, "?sp=rl&se=2026-01-31T10:00:00%2B02:00&sig=hidden")
    assert reason == "the SAS token ended on 2026-01-31 at 08:00 UTC"
    assert "hidden" not in reason + advice
    assert "the credentials were refused" in explain(refused, "se=2126-01-31T10:00:00Z")[0]


@pytest.mark.parametrize("token", ["", "sv=1&si=policy&sig=x", "se=soon", "se=2126-01-01"])
def test_a_sas_token_without_an_end_in_the_past_has_not_ended(token: str) -> None:
    """A stored policy's token does not say when it ends, and nonsense is no end."""
    assert sas_token_ended(token) is None


def test_what_an_identity_says_is_passed_on() -> None:
    """A login that failed tells its own reason and advice, and not where in the code that was."""
    text = "for path External Azure credential provider: Broken: no such tenant\n  What to do: ask Entra ID\n\nDebug source:\npages"
    assert explain(UnauthenticatedError(text)) == ("no credentials: no such tenant", "ask Entra ID")


@pytest.mark.parametrize(
    ("text", "passing", "busy"),
    [
        ("status code: 503 Service Unavailable: x", True, True),
        ("status code: 429 Too Many Requests: x", True, True),
        ("status code: 500 Internal Server Error: x", True, False),
        ("HTTP error: error sending request", True, False),
        ("HTTP error: error sending request InvalidCertificate(UnknownIssuer)", False, False),
        ("status code: 403 Forbidden: x", False, False),
        ("status code: 404 Not Found: x", False, False),
    ],
)
def test_only_what_may_pass_is_tried_again(text: str, passing: bool, busy: bool) -> None:
    """The line and the store may recover; a refusal or a certificate does not change by asking again."""
    assert (is_passing(GenericError(text)), is_busy(GenericError(text))) == (passing, busy)
