"""Model stores from connections, before anything is asked."""

from pathlib import Path
from typing import Any

import pytest

from nocturne.adapters.object_store import AwsIdentity, StoreSettings
from nocturne.composition.stores import store_settings
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

KEY = "c2VjcmV0"
URL = "https://shop.blob.core.windows.net"


def wasb(login: str = "", password: str = "", host: str = "", **extra: Any) -> Connection:
    return Connection("models", "wasb", host, login=login, password=password, extra={"container": "models"} | extra)


def aws(login: str = "", password: str = "", **extra: Any) -> Connection:
    return Connection("models", "aws", login=login, password=password, extra={"bucket_name": "models"} | extra)


def faults(connection: Connection) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as raised:
        store_settings(connection)
    assert raised.value.source == "the connection models"
    return raised.value.faults


@pytest.mark.parametrize(
    ("connection", "account", "url", "login"),
    [
        (wasb("shop", KEY), "shop", URL, "key"),
        (wasb("shop", KEY, "http://127.0.0.1:10000/shop"), "shop", "http://127.0.0.1:10000/shop", "key"),
        (wasb("shop", shared_access_key=KEY), "shop", URL, "key"),
        (wasb("shop", account_key=KEY), "shop", URL, "key"),
        (wasb("shop", extra__wasb__sas_token="sig=x"), "shop", URL, "sas"),
        (wasb("shop", KEY, sas_token="?sig=x"), "shop", URL, "sas"),
        (wasb(sas_token=f"{URL}/?sv=1&sig=x"), "shop", URL, "sas"),
        (wasb(connection_string=f"AccountName=shop;AccountKey={KEY}"), "shop", URL, "key"),
        (wasb("client", "secret", URL, tenant_id="t"), "shop", URL, "identity"),
        (wasb("client", "secret", "shop.blob.core.windows.net", tenantId="t"), "shop", URL, "identity"),
        (wasb("shop"), "shop", URL, "identity"),
        (wasb(host=URL), "shop", URL, "identity"),
        (wasb("shop", managed_identity_client_id="c", workload_identity_tenant_id="t"), "shop", URL, "identity"),
    ],
)
def test_every_way_into_azure_is_told_by_its_fields(connection: Connection, account: str, url: str, login: str) -> None:
    """The provider's form has a field for each way, and what is filled in decides."""
    found = store_settings(connection)
    given = {"key": found.account_key, "sas": found.sas_token, "identity": found.credential}
    assert (found.kind, found.container, found.account, found.url) == ("azure", "models", account, url)
    assert [name for name, value in given.items() if value] == [login]


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (wasb(container="No_Good"), ["extra.container: found 'No_Good'", "login: found nothing"]),
        (wasb("shop", "not base64!"), ["password: found something that is not base64"]),
        (wasb("shop", KEY, "http://"), ["host: found 'http://'"]),
        (wasb("client", tenant_id="t"), ["host (the account's URL) and password (client secret): found nothing"]),
        (wasb("client", tenant_id="t", cloud_environment="Moon"), ["host", "extra.cloud_environment: found 'Moon'"]),
        (wasb("shop", workload_identity_tenant_id="t"), ["extra.managed_identity_client_id: found nothing"]),
        (wasb(connection_string="hello", container=""), ["extra.container", "login: found nothing", "found 0 credentials"]),
        (aws(bucket_name="", region_name="A B"), ["extra.bucket_name: found ''", "extra.region_name: found 'A B'"]),
        (aws("AKIA"), ["password: found nothing"]),
        (aws(password="secret-1"), ["login: found nothing"]),
        (aws("AKIA", role_arn="arn:aws:iam::1:role/r"), ["password: found nothing, expected both"]),
        (aws("AKIA", "secret-1", endpoint_url="minio"), ["extra.endpoint_url: found 'minio'"]),
        (aws("AKIA", "secret-1", profile_name="p"), ["login and extra.profile_name: found both"]),
        (
            aws(role_arn="r", assume_role_method="assume_role_with_saml"),
            ["extra.assume_role_method: found 'assume_role_with_saml'"],
        ),
        (aws(role_arn="r", assume_role_kwargs="ExternalId"), ["extra.assume_role_kwargs: found str, expected an object"]),
        (aws("AKIA", "secret-1", verify=False), ["extra.verify"]),
        (aws(profile_name="nobody"), ["extra.profile_name: The config profile (nobody) could not be found"]),
        (Connection("models", "fs"), ["extra.path: found nothing"]),
        (Connection("models", "http"), ["type: found 'http', expected wasb (Azure Blob Storage), aws (S3) or fs (a folder)"]),
    ],
)
def test_every_fault_is_told_by_the_name_of_its_field(connection: Connection, words: list[str]) -> None:
    """All that is wrong with a connection is in one error, in the words of its form, without a secret."""
    found = faults(connection)
    assert [word for word, fault in zip(words, found, strict=True) if word not in fault] == []
    assert "secret-1" not in "".join(found)


def test_keys_of_s3() -> None:
    """Login and password are an access key; region, endpoint and session token are extras."""
    extra = {"aws_session_token": "token", "region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:9000"}
    found = store_settings(aws("AKIA", "secret", **extra))
    assert (found.kind, found.bucket, found.region, found.url) == ("s3", "models", "eu-west-1", "http://127.0.0.1:9000")
    assert (found.access_key_id, found.secret_access_key, found.session_token) == ("AKIA", "secret", "token")


def test_the_part_of_a_connection_that_is_about_s3_goes_first() -> None:
    """One connection may serve several services of AWS, with a bucket and an endpoint for S3 alone."""
    services = {"s3": {"bucket_name": "digits", "endpoint_url": "http://127.0.0.1:9000"}}
    found = store_settings(aws("AKIA", "secret", bucket_name=None, endpoint_url="http://127.0.0.1:1", service_config=services))
    assert (found.bucket, found.url) == ("digits", "http://127.0.0.1:9000")


def test_a_role_is_taken_on_with_what_the_connection_says() -> None:
    """A role gets the connection's keys to begin with, further arguments, and the address of the token service."""
    services = {"sts": {"endpoint_url": "http://127.0.0.1:9001"}}
    arguments = {"ExternalId": "x"}
    found = store_settings(
        aws("AKIA", "secret", role_arn="arn", assume_role_kwargs=arguments, service_config=services, region_name="r")
    )
    expected = AwsIdentity("", "r", "AKIA", "secret", "", "arn", arguments, "http://127.0.0.1:9001")
    assert (found.keys, found.access_key_id) == (expected, "")


def test_a_connection_without_keys_asks_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keys boto3's default chain is asked on purpose, for the region as well."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    found = store_settings(aws())
    assert (found.keys, found.region) == (AwsIdentity(), "eu-central-1")
    assert store_settings(aws("AKIA", "secret")).region == "us-east-1"


def test_a_folder() -> None:
    """A connection of type `fs` names a folder."""
    assert store_settings(Connection("models", "fs", extra={"path": "/srv/models"})) == StoreSettings(
        "local", path=Path("/srv/models")
    )


@pytest.mark.parametrize(
    "connection", [wasb("shop", KEY), wasb("shop", sas_token="sig=hidden"), aws("AKIA", "hidden", role_arn="r")]
)
def test_no_secret_shows(connection: Connection) -> None:
    """Neither a connection nor the settings made of it show a secret when they are printed."""
    text = repr(connection) + repr(store_settings(connection))
    assert KEY not in text
    assert "hidden" not in text
