"""What settings say of themselves before anything is sent."""

from pathlib import Path

import pytest

from nocturne.adapters.object_store.connection_string import account_of, from_connection_string
from nocturne.adapters.object_store.settings import StoreSettings
from nocturne.domain.errors import ConfigurationError

KEY = "c2VjcmV0"


def test_every_fault_is_reported_together() -> None:
    """A connection with nothing right in it names container, account, credential and endpoint in one error."""
    with pytest.raises(ConfigurationError) as raised:
        StoreSettings("azure", container="No_Good", account_key=KEY, sas_token="sig=x", endpoint="blob").check()
    assert len(raised.value.faults) == 4


@pytest.mark.parametrize("container", ["", "ab", "-abc", "abc-", "a--b", "Models", "a" * 64])
def test_a_container_name_that_azure_refuses_is_a_fault(container: str) -> None:
    """Container names keep to Azure's rules."""
    assert "container is" in StoreSettings("azure", container=container, account="a", account_key=KEY).faults()[0]


def test_a_key_that_is_not_base64_is_a_fault_that_does_not_show_it() -> None:
    """A mangled key is found before it is used, and stays out of the message."""
    faults = StoreSettings("azure", container="models", account="a", account_key="not a key!").faults()
    assert len(faults) == 1
    assert "not a key!" not in faults[0]


def test_good_settings_have_no_fault() -> None:
    """A key or a SAS token with a container and an account is enough, and a path is for a folder."""
    assert StoreSettings("azure", container="models", account="a", account_key=KEY).faults() == []
    assert StoreSettings("azure", container="models", account="a", sas_token="sig=x").faults() == []
    assert StoreSettings("local", path=Path("models")).faults() == []
    assert StoreSettings("local").faults() != []


def test_secrets_stay_out_of_the_repr() -> None:
    """Neither key nor SAS token shows when settings are printed."""
    text = repr(StoreSettings("azure", container="models", account="a", account_key=KEY, sas_token="signature"))
    assert KEY not in text
    assert "signature" not in text


@pytest.mark.parametrize(
    ("text", "account", "url"),
    [
        ("AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.chinacloudapi.cn", "a", "https://a.blob.core.chinacloudapi.cn"),
        (
            "BlobEndpoint=https://b.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D%3D",
            "b",
            "https://b.blob.core.windows.net",
        ),
        ("AccountName=c;AccountKey=c2VjcmV0==;BlobEndpoint=http://127.0.0.1:10000/c;", "c", "http://127.0.0.1:10000/c"),
    ],
)
def test_connection_strings_of_every_kind_are_read(text: str, account: str, url: str) -> None:
    """Keys, SAS tokens, other clouds and emulators are all told by a connection string."""
    settings = from_connection_string(text, "models")
    assert (settings.account, settings.url) == (account, url)


def test_a_connection_string_without_an_account_is_a_configuration_error() -> None:
    """A text that is no connection string is refused with its faults."""
    with pytest.raises(ConfigurationError, match="account is missing"):
        from_connection_string("hello", "models").check()


def test_an_accounts_name_is_found_in_its_url() -> None:
    """The name is the first label of Azure's host, and the path of an emulator's URL."""
    assert account_of("https://store.blob.core.windows.net/") == "store"
    assert account_of("http://127.0.0.1:10000/devstoreaccount1") == "devstoreaccount1"


@pytest.mark.parametrize("bucket", ["", "ab", "Models", "a..b", "a" * 64, "-ab", "ab-", "a_b"])
def test_a_bucket_name_that_s3_refuses_is_a_fault(bucket: str) -> None:
    """Bucket names keep to S3's rules."""
    assert "bucket is" in StoreSettings("s3", bucket=bucket, access_key_id="a", secret_access_key="b").faults()[0]


def test_every_fault_of_a_bucket_is_reported_together() -> None:
    """Settings with nothing right in them name bucket, region, keys and endpoint in one error, and no secret."""
    with pytest.raises(ConfigurationError) as raised:
        StoreSettings("s3", region="Frankfurt", secret_access_key="hidden", endpoint="s3").check()
    assert len(raised.value.faults) == 4
    assert "hidden" not in str(raised.value)


def test_keys_come_in_pairs_or_from_an_identity() -> None:
    """An access key without its secret is a fault, and so is one beside an identity; each alone is enough."""
    keys = {"access_key_id": "a", "secret_access_key": "b"}
    assert StoreSettings("s3", bucket="models", **keys).faults() == []
    assert StoreSettings("s3", bucket="models", keys=dict).faults() == []  # type: ignore[arg-type]
    assert "secret access key is missing" in StoreSettings("s3", bucket="models", access_key_id="a").faults()[0]
    assert "access key id is missing" in StoreSettings("s3", bucket="models").faults()[0]
    assert "expected one" in StoreSettings("s3", bucket="models", **keys, keys=dict).faults()[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("region", "url"),
    [("eu-west-1", "https://s3.eu-west-1.amazonaws.com"), ("cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn")],
)
def test_a_region_has_an_address_of_its_own(region: str, url: str) -> None:
    """Without an endpoint, S3 is asked in the region that the settings name."""
    assert StoreSettings("s3", bucket="models", region=region, access_key_id="a", secret_access_key="b").url == url


def test_keys_of_s3_stay_out_of_the_repr() -> None:
    """Neither the secret key nor the session token shows when settings are printed."""
    text = repr(StoreSettings("s3", access_key_id="a", secret_access_key="hidden", session_token="concealed"))
    assert "hidden" not in text
    assert "concealed" not in text
