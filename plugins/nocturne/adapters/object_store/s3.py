"""S3, AWS's own or any that speaks its protocol: the open store, and its bucket."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from obstore.store import S3Store

from nocturne.adapters.object_store.client import client_options, retries
from nocturne.adapters.object_store.settings import StoreSettings
from nocturne.domain.errors import Broken, ConfigurationError

if TYPE_CHECKING:
    from obstore.store import S3Credential

# Variables that the client obeys whatever it is told: there is no value that means none.
_CANNOT_BE_OVERRULED = ("AWS_CHECKSUM_ALGORITHM", "AWS_SERVER_SIDE_ENCRYPTION")


def from_s3(settings: StoreSettings) -> S3Store:
    """A bucket. Raises ConfigurationError."""
    settings.check()
    if found := sorted(set(map(str.upper, os.environ)).intersection(_CANNOT_BE_OVERRULED)):
        raise ConfigurationError("the environment", [f"{name} is set, which would decide how models are stored" for name in found])
    return S3Store(
        settings.bucket,
        config={
            "region": settings.region,
            "endpoint": settings.url,
            # obstore also reads AWS_* variables of the process; what decides is said here, so that none of them can.
            "aws_endpoint_url_s3": settings.url,
            "virtual_hosted_style_request": False,
            "conditional_put": "etag",
            "skip_signature": False,
            "unsigned_payload": False,
            "request_payer": False,
            "disable_tagging": False,
            "s3_express": False,
        },
        client_options=client_options(settings),
        retry_config=retries(settings),
        credential_provider=settings.keys or _fixed(settings),
    )


def create_bucket(settings: StoreSettings) -> bool:
    """Create the bucket; False when it is there already. Raises Broken."""
    # Imported here because it takes a while and nothing else needs it: object stores know no buckets.
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        client = _boto_client(settings)
        if _exists(client, settings.bucket):
            return False
        # The first region is the one that must not be named: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": settings.region}}
        client.create_bucket(Bucket=settings.bucket, **({} if settings.region == "us-east-1" else elsewhere))
    except (BotoCoreError, ClientError) as error:
        raise Broken(
            f"creating the bucket {settings.bucket} of {settings.url} failed: {error}",
            advice="look at the access key, its rights, the region and the URL",
        ) from error
    return True


def _exists(client: Any, bucket: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _boto_client(settings: StoreSettings) -> Any:
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    now = (settings.keys or _fixed(settings))()
    return boto3.client(
        "s3",
        endpoint_url=settings.url,
        region_name=settings.region,
        aws_access_key_id=now["access_key_id"],
        aws_secret_access_key=now["secret_access_key"],
        aws_session_token=now.get("token"),
        config=Config(
            connect_timeout=5,
            read_timeout=settings.retry_seconds,
            retries={"total_max_attempts": 3},
            s3={"addressing_style": "path"},
        ),
    )


def _fixed(settings: StoreSettings) -> "Callable[[], S3Credential]":
    # Given by a function even though they are known: a session token among the variables would go with keys without one.
    credential: S3Credential = {
        "access_key_id": settings.access_key_id,
        "secret_access_key": settings.secret_access_key,
        "token": settings.session_token or None,
        "expires_at": None,
    }
    return lambda: credential
