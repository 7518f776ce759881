"""What a bad network does to the reading of blobs: connections that break, stall, or answer that the store is busy."""

import os
import ssl
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from nocturne.adapters.object_store import StoreSettings, connect
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.patience import Patience
from nocturne.domain.errors import BlobChanged, Broken
from tests.certificates import tls_context
from tests.integration.object_store.conftest import Distant
from tests.integration.object_store.moto_server import Moto
from tests.integration.object_store.proxy import after, answer, cut, network, slow_start, stall

PATH = "digits/v1/model.onnx"
CONTENT = os.urandom(12_000_000)
THE_BLOB = "GET .*model.onnx"
BUSY_SECONDS = 2.0
# For most tests: only what the network is told to do may fail, not what this machine takes its time for.
PATIENCE_SECONDS = 60
# What may come twice: a piece that the client was still gathering.
TWICE = 2 * 1024 * 1024


@pytest.fixture
def blobs(distant: Distant) -> Blobs:
    """The store through the network, with a blob in it."""
    return blobs_of(distant, PATIENCE_SECONDS, PATIENCE_SECONDS)


@pytest.fixture
def impatient(distant: Distant) -> Blobs:
    """The same with little patience; a request may still take its time."""
    return blobs_of(distant, PATIENCE_SECONDS, 6)


def blobs_of(distant: Distant, retry_seconds: float, patience: float) -> Blobs:
    """retry_seconds: a request that hears nothing for a third of it is given up."""
    distant.objects.put(PATH, CONTENT)
    return Blobs(connect(replace(distant.settings, retry_seconds=retry_seconds)), Patience(patience, BUSY_SECONDS))


def whole(blobs: Blobs, distant: Distant) -> bytes:
    e_tag = distant.objects.head(PATH)["e_tag"] or ""
    return b"".join(blobs.read_range(PATH, e_tag, 0, len(CONTENT)))


def starts(distant: Distant) -> list[int]:
    """Where each request for the blob began."""
    return [seen.first_byte for seen in distant.network.of(THE_BLOB)]


def test_a_connection_that_is_cut_is_gone_on_with(distant: Distant, blobs: Blobs) -> None:
    """A body that ends in its middle, twice, is gone on with from about where it broke, and comes whole."""
    distant.network.spoil(THE_BLOB, cut(5_000_000), cut(4_000_000))
    assert whole(blobs, distant) == CONTENT
    first, second, third = starts(distant)
    assert first == 0
    assert 5_000_000 - TWICE < second <= 5_000_000
    assert second + 4_000_000 - TWICE < third <= second + 4_000_000


def test_what_is_asked_again_is_pinned_again(distant: Distant, blobs: Blobs) -> None:
    """Each request for the rest of a blob carries the ETag that was frozen."""
    distant.network.spoil(THE_BLOB, cut(5_000_000))
    whole(blobs, distant)
    pins = {seen.headers.get("if-match") for seen in distant.network.of(THE_BLOB)}
    assert pins == {distant.objects.head(PATH)["e_tag"]}


def test_a_connection_that_closes_before_any_answer_is_tried_again(distant: Distant, blobs: Blobs) -> None:
    """Small blobs, lists and ranges survive a connection that is closed in place of an answer."""
    hang_up = lambda handler: setattr(handler, "close_connection", True)  # noqa: E731
    for call in (
        lambda: whole(blobs, distant),
        lambda: blobs.read(PATH, len(CONTENT)),
        lambda: blobs.stat(PATH),
        lambda: blobs.folders("digits"),
        lambda: blobs.below("digits"),
    ):
        distant.network.spoil("", hang_up, hang_up)
        assert call()  # type: ignore[no-untyped-call]


def test_a_body_that_stalls_is_asked_for_again(distant: Distant) -> None:
    """A body that stops coming is given up while there is patience left, and the rest is asked for."""
    blobs = blobs_of(distant, 15, 15)
    distant.network.spoil(THE_BLOB, stall(5_000_000))
    assert whole(blobs, distant) == CONTENT
    assert 5_000_000 - TWICE < starts(distant)[1] <= 5_000_000


def test_a_slow_start_is_waited_for(distant: Distant, blobs: Blobs) -> None:
    """An answer that takes its time is not asked for twice."""
    distant.network.spoil(THE_BLOB, slow_start(1))
    assert whole(blobs, distant) == CONTENT
    assert len(starts(distant)) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_store_is_not_asked_before_its_time(distant: Distant, blobs: Blobs, status: int) -> None:
    """A request that was answered with 429 or 503 is repeated no sooner than the store asked for, and then does well."""
    distant.network.spoil(THE_BLOB, answer(status, "<Error><Code>SlowDown</Code></Error>", Retry_After=str(int(BUSY_SECONDS))))
    assert whole(blobs, distant) == CONTENT
    first, second = distant.network.of(THE_BLOB)
    assert second.at - first.at >= BUSY_SECONDS


def test_a_busy_store_is_let_alone_by_every_request(distant: Distant, blobs: Blobs) -> None:
    """While one request waits because the store is busy, no other one is sent either."""
    distant.network.spoil(THE_BLOB, answer(503, Retry_After="2"))
    range_of_two = blobs.read_range(PATH, distant.objects.head(PATH)["e_tag"] or "", 0, len(CONTENT))
    next(range_of_two)
    distant.network.spoil("", answer(503, Retry_After="2"))
    blobs.folders("digits")
    times = [seen.at for seen in distant.network.seen]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert sorted(gap >= BUSY_SECONDS for gap in gaps) == [False, True, True]


def test_a_store_that_stays_busy_is_broken(distant: Distant, impatient: Blobs) -> None:
    """A store that is busy for longer than there is patience is told as busy, after few requests."""
    distant.network.spoil(THE_BLOB, *[answer(503, "<Error><Code>ServerBusy</Code></Error>")] * 9)
    with pytest.raises(Broken, match="it is too busy"):
        whole(impatient, distant)
    assert len(starts(distant)) <= 3


def test_an_upload_is_not_repeated_at_once_to_a_busy_store(distant: Distant) -> None:
    """What is written to a busy store is repeated after seconds, and arrives."""
    distant.network.spoil("PUT", answer(503, "<Error><Code>SlowDown</Code></Error>", Retry_After="1"))
    assert Blobs(connect(replace(distant.settings, retry_seconds=5))).create("digits/latest", b"v1")
    first, second = distant.network.of("PUT .*latest")
    assert second.at - first.at >= 5


def test_a_line_that_only_breaks_is_broken(distant: Distant, impatient: Blobs) -> None:
    """A line on which nothing arrives any more ends in an error, with what to look at."""
    distant.network.spoil(THE_BLOB, *[cut(0)] * 200)
    with pytest.raises(Broken, match="the connection breaks off again and again") as raised:
        whole(impatient, distant)
    assert "network between" in raised.value.advice


def test_a_line_that_breaks_all_the_time_still_gets_through(distant: Distant, blobs: Blobs) -> None:
    """As long as each connection brings something, a blob comes whole, however many it takes, and little comes twice."""
    distant.network.spoil(THE_BLOB, *[cut(500_000)] * 99)
    assert whole(blobs, distant) == CONTENT
    assert 24 <= len(starts(distant)) <= 32


@pytest.mark.parametrize("action", ["overwritten", "deleted"])
def test_a_blob_that_changes_between_two_halves_is_never_mixed(distant: Distant, blobs: Blobs, action: str) -> None:
    """A blob that is overwritten or deleted while the connection breaks is not gone on with: the run is told."""

    def change() -> None:
        distant.objects.put(PATH, os.urandom(len(CONTENT))) if action == "overwritten" else distant.objects.delete(PATH)

    distant.network.spoil(THE_BLOB, after(change, 5_000_000))
    with pytest.raises(BlobChanged, match="was overwritten or deleted since this run began"):
        whole(blobs, distant)


# As the real services answer: https://github.com/Azure/azure-sdk-for-js/issues/5433, https://github.com/s3fs-fuse/s3fs-fuse/issues/1186
# and https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. No emulator looks at the time or the region.
@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (
            403,
            "<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Request date header too old: "
            "'Fri, 04 Oct 2019 18:02:12 GMT'</AuthenticationErrorDetail></Error>",
            "this machine's clock is wrong: the request says Fri, 04 Oct 2019 18:02:12 GMT",
        ),
        (
            403,
            "<Error><Code>RequestTimeTooSkewed</Code><RequestTime>20261122T020000Z</RequestTime>"
            "<ServerTime>2026-11-22T03:10:00Z</ServerTime></Error>",
            "this machine's clock is wrong: the store's says 2026-11-22T03:10:00Z",
        ),
        (
            400,
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; "
            "the region 'eu-west-1' is wrong; expecting 'us-west-2'</Message></Error>",
            "the bucket is in the region us-west-2, not in eu-west-1",
        ),
        (301, "<Error><Code>PermanentRedirect</Code></Error>", "the bucket is in another region"),
    ],
    ids=["azure clock", "s3 clock", "region", "redirect"],
)
def test_what_only_the_real_services_say_is_understood(distant: Distant, blobs: Blobs, status: int, body: str, fault: str) -> None:
    """A wrong clock and a wrong region have their own messages, and are not tried again."""
    distant.network.spoil("GET", answer(status, body))
    with pytest.raises(Broken, match=fault):
        blobs.folders("digits")
    assert len(distant.network.seen) == 1


def test_a_certificate_that_nobody_trusts_is_told(moto: Moto, s3_settings: StoreSettings, tmp_path: Path) -> None:
    """A store whose TLS certificate is not trusted is told so at once, with the variable that would change it."""
    context: ssl.SSLContext = tls_context(tmp_path)
    with network(moto.url, context) as between:
        blobs = Blobs(connect(replace(s3_settings, endpoint=between.url)))
        with pytest.raises(Broken, match="its TLS certificate is not trusted") as raised:
            blobs.folders("digits")
    assert "SSL_CERT_FILE" in raised.value.advice
    assert between.seen == []
