"""What settings say of themselves before anything is sent."""

from pathlib import Path

import pytest

from nocturne.adapters.object_store.settings import StoreSettings, account_of, from_connection_string
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
    assert (settings.account, settings.account_url) == (account, url)


def test_a_connection_string_without_an_account_is_a_configuration_error() -> None:
    """A text that is no connection string is refused with its faults."""
    with pytest.raises(ConfigurationError, match="account is missing"):
        from_connection_string("hello", "models")


def test_an_accounts_name_is_found_in_its_url() -> None:
    """The name is the first label of Azure's host, and the path of an emulator's URL."""
    assert account_of("https://store.blob.core.windows.net/") == "store"
    assert account_of("http://127.0.0.1:10000/devstoreaccount1") == "devstoreaccount1"
