"""S3, as moto speaks it: versions, conditions, rights, roles."""

import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import boto3
import pytest

from nocturne.adapters.object_store import AwsIdentity, StoreSettings, connect, ensure_container
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.domain.errors import BlobChanged, Broken, ConfigurationError
from tests.integration.object_store.moto_server import KEYS, REGION, Moto
from tests.integration.object_store.proxy import cut, network

PATH = "digits/model.onnx"
OLD, NEW = b"old" * 1_000_000, b"new" * 1_000_000


def read(blobs: Blobs, e_tag: str, version: str = "") -> bytes:
    return b"".join(blobs.read_range(PATH, e_tag, 0, len(OLD), version))


def test_a_frozen_version_outlives_what_is_written_over_it(versioned_settings: StoreSettings) -> None:
    """Where the bucket keeps versions, the one that was frozen is read after it was overwritten, and after it was deleted."""
    store = connect(versioned_settings)
    blobs = Blobs(store)
    store.put(PATH, OLD)
    frozen = blobs.stat(PATH)
    assert frozen is not None
    assert frozen.version
    store.put(PATH, NEW)
    assert read(blobs, frozen.e_tag, frozen.version) == OLD
    store.delete(PATH)
    assert read(blobs, frozen.e_tag, frozen.version) == OLD
    with pytest.raises(BlobChanged):
        read(blobs, frozen.e_tag)


def test_a_version_that_is_overwritten_in_mid_download_comes_whole(moto: Moto, versioned_settings: StoreSettings) -> None:
    """A connection that breaks while the blob is overwritten goes on with the version that was frozen."""
    store = connect(versioned_settings)
    store.put(PATH, OLD)
    with network(moto.url) as between:
        blobs = Blobs(connect(replace(versioned_settings, endpoint=between.url)))
        frozen = blobs.stat(PATH)
        assert frozen is not None
        between.spoil("GET", cut(2_000_000))
        pieces = blobs.read_range(PATH, frozen.e_tag, 0, len(OLD), frozen.version)
        first = next(pieces)
        store.put(PATH, NEW)
        assert first + b"".join(pieces) == OLD
        assert len(between.of("GET")) == 2


def test_a_version_that_was_deleted_for_good_is_noticed(moto: Moto, versioned_settings: StoreSettings) -> None:
    """A version that somebody removed by its id is a changed blob."""
    store = connect(versioned_settings)
    store.put(PATH, OLD)
    frozen = Blobs(store).stat(PATH)
    assert frozen is not None
    moto.client("s3").delete_object(Bucket=versioned_settings.bucket, Key=PATH, VersionId=frozen.version)
    with pytest.raises(BlobChanged):
        read(Blobs(store), frozen.e_tag, frozen.version)


def test_a_bucket_that_keeps_no_versions_names_none(
    moto: Moto, s3_settings: StoreSettings, versioned_settings: StoreSettings
) -> None:
    """A blob of a bucket without versions, or whose versions were suspended, is pinned by its ETag alone."""
    moto.client("s3").put_bucket_versioning(Bucket=s3_settings.bucket, VersioningConfiguration={"Status": "Suspended"})
    plain = replace(s3_settings, bucket=f"models-{uuid4().hex}")
    ensure_container(plain)
    for settings in (s3_settings, plain):
        store = connect(settings)
        store.put(PATH, OLD)
        frozen = Blobs(store).stat(PATH)
        assert frozen is not None
        assert frozen.version == ""


def test_conditions_hold(s3_settings: StoreSettings) -> None:
    """A blob is created once, and replaced only by who saw the latest one."""
    blobs = Blobs(connect(s3_settings))
    assert blobs.create(PATH, b"1") is True
    assert blobs.create(PATH, b"2") is False
    seen = blobs.read(PATH)
    assert seen is not None
    assert blobs.replace(PATH, b"3", '"another"') is False
    assert blobs.replace(PATH, b"3", seen.e_tag) is True
    assert blobs.replace(PATH, b"4", seen.e_tag) is False
    assert (seen.content, blobs.read(PATH).content) == (b"1", b"3")  # type: ignore[union-attr]


def test_a_large_blob_goes_up_in_parts(s3_settings: StoreSettings) -> None:
    """A blob that is larger than one part, and comes in odd pieces, is the same at the other end."""
    blobs, content = Blobs(connect(s3_settings)), OLD * 5
    blobs.upload(PATH, (content[place : place + 700_001] for place in range(0, len(content), 700_001)))
    there = blobs.read(PATH, len(content))
    assert there is not None
    assert there.content == content


def test_variables_of_the_process_decide_nothing(s3_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_* variables of the process, which the client reads too, do not get in the way of the settings."""
    for name, value in {
        "ACCESS_KEY_ID": "other",
        "SECRET_ACCESS_KEY": "other",
        "SESSION_TOKEN": "other",
        "REGION": "nowhere-1",
        "DEFAULT_REGION": "nowhere-1",
        "BUCKET": "other",
        "ENDPOINT": "http://127.0.0.1:1",
        "ENDPOINT_URL": "http://127.0.0.1:1",
        "ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "SKIP_SIGNATURE": "true",
        "VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "S3_EXPRESS": "true",
        "REQUEST_PAYER": "true",
        "UNSIGNED_PAYLOAD": "true",
        "PROFILE": "nobody",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    parts = s3_settings.url
    with network(parts) as between:
        assert Blobs(connect(replace(s3_settings, endpoint=between.url))).create(PATH, b"1") is True
    sent = between.seen[0].headers
    assert f"Credential={KEYS[0]}/" in sent["authorization"]
    assert f"/{REGION}/s3/" in sent["authorization"]
    assert not {"x-amz-security-token", "x-amz-request-payer"} & set(sent)


def test_a_variable_that_cannot_be_overruled_is_refused(s3_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that would decide how models are encrypted, whatever the connection says, is named."""
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms")
    with pytest.raises(ConfigurationError, match="AWS_SERVER_SIDE_ENCRYPTION is set"):
        connect(s3_settings)


@pytest.fixture(scope="module")
def rights(strict_moto: Moto) -> dict[str, tuple[str, str]]:
    """Access keys of users who may do everything, only read, or nothing, in a moto that checks them from now on."""
    ensure_container(strict_moto.settings("models"))
    connect(strict_moto.settings("models")).put(PATH, OLD)
    found = {
        "all": strict_moto.user("all", "s3:*"),
        "reader": strict_moto.user("reader", "s3:GetObject", "s3:ListBucket"),
        "nobody": strict_moto.user("nobody"),
    }
    found["wrong secret"] = (found["all"][0], "x" * 40)
    found["unknown"] = ("AKIAAAAAAAAAAAAAAAAA", "x" * 40)
    strict_moto.enforce()
    return found


@pytest.mark.parametrize(
    ("who", "bucket", "fault"),
    [
        ("wrong secret", "models", "the secret access key is not that of the access key id"),
        ("unknown", "models", "nobody has this access key id"),
        ("nobody", "models", "the credentials are good, but do not allow this"),
        ("all", "nowhere", "the bucket does not exist"),
    ],
)
def test_every_wrong_login_is_told_from_the_others(
    strict_moto: Moto, rights: dict[str, tuple[str, str]], who: str, bucket: str, fault: str
) -> None:
    """A wrong secret, an unknown key, a user without rights and a missing bucket each have their own message."""
    blobs = Blobs(connect(strict_moto.settings(bucket, keys=rights[who])))
    for call in (lambda: blobs.folders("digits"), lambda: blobs.read(PATH), lambda: blobs.create("x", b"1")):
        with pytest.raises(Broken, match=fault) as raised:
            call()
        assert rights[who][1] not in f"{raised.value}{raised.value.__cause__}"


def test_a_reader_reads(strict_moto: Moto, rights: dict[str, tuple[str, str]]) -> None:
    """Who may list and get has a store that can be read, and is told when he writes."""
    blobs = Blobs(connect(strict_moto.settings("models", keys=rights["reader"])))
    assert blobs.read(PATH) is not None
    with pytest.raises(Broken, match="do not allow this"):
        blobs.create("x", b"1")


@pytest.fixture
def role(moto: Moto) -> Iterator[str]:
    """The ARN of a role."""
    iam, name = moto.client("iam"), f"reader-{uuid4().hex[:8]}"
    yield iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.delete_role(RoleName=name)


def test_a_role_is_taken_on(moto: Moto, s3_settings: StoreSettings, role: str) -> None:
    """With a role the store is asked with temporary keys, which end and say when."""
    identity = AwsIdentity("", REGION, *KEYS, role=role, role_arguments={"ExternalId": "night"}, sts_endpoint=moto.url)
    keys = identity()
    assert keys["expires_at"] is not None
    assert keys["access_key_id"] != KEYS[0]
    with network(moto.url) as between:
        settings = replace(s3_settings, access_key_id="", secret_access_key="", keys=identity, endpoint=between.url)
        assert Blobs(connect(settings)).create(PATH, b"1")
    assert between.seen[0].headers["x-amz-security-token"]


def test_keys_are_asked_for_again_before_they_end(moto: Moto, s3_settings: StoreSettings) -> None:
    """Keys that are about to end are not used for the next request of a long download."""
    given: list[str] = []

    class Ending(AwsIdentity):
        def __call__(self):  # type: ignore[no-untyped-def]
            given.append(f"AKIA{len(given)}")
            return super().__call__() | {"access_key_id": given[-1], "expires_at": soon}

    from datetime import UTC, datetime, timedelta

    soon = datetime.now(UTC) + timedelta(seconds=1)
    store = connect(s3_settings)
    store.put(PATH, OLD)
    with network(moto.url) as between:
        settings = replace(s3_settings, access_key_id="", secret_access_key="", endpoint=between.url)
        blobs = Blobs(connect(replace(settings, keys=Ending("", REGION, *KEYS))))
        frozen = blobs.stat(PATH)
        assert frozen is not None
        time.sleep(0.2)
        between.spoil("GET", cut(1_500_000))
        assert read(blobs, frozen.e_tag) == OLD
    assert len({seen.headers["authorization"].split("/")[0] for seen in between.seen}) >= 2


def test_the_default_chain_is_asked_where_no_keys_are_given(
    moto: Moto, s3_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without keys of its own a connection uses those that boto3 finds, here in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFROMENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with network(moto.url) as between:
        settings = replace(s3_settings, access_key_id="", secret_access_key="", keys=AwsIdentity(), endpoint=between.url)
        assert Blobs(connect(settings)).create(PATH, b"1")
    assert "Credential=AKIAFROMENVIRONMENT/" in between.seen[0].headers["authorization"]


def test_a_machine_without_credentials_says_so(s3_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where boto3 finds nothing, the store is out of reach, with what to do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    settings = replace(s3_settings, access_key_id="", secret_access_key="", keys=AwsIdentity())
    with pytest.raises(Broken, match="no credentials: found no AWS credentials") as raised:
        Blobs(connect(settings)).folders("digits")
    assert "give the connection an access key" in raised.value.advice


def test_a_bucket_is_made_once(moto: Moto) -> None:
    """A bucket that is not there is made in its region, and found the next time."""
    settings = moto.settings(f"models-{uuid4().hex}")
    assert (ensure_container(settings), ensure_container(settings)) == (True, False)
    located = boto3.client(
        "s3", endpoint_url=moto.url, region_name=REGION, aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1]
    ).get_bucket_location(Bucket=settings.bucket)
    assert located["LocationConstraint"] == REGION
