"""What is handed to the client."""

from datetime import UTC, datetime

import pytest
from azure.core.credentials import AccessToken, TokenCredential

from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect
from nocturne.adapters.object_store.azure import _bearer
from nocturne.domain.errors import ConfigurationError


class Identity(TokenCredential):
    """An identity that gets a token for anything."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        assert scopes == ("https://storage.azure.com/.default",)
        return AccessToken("token", 1_800_000_000)


def test_an_identitys_token_is_passed_on_with_its_end() -> None:
    """The client learns when a token expires, so that it asks for the next one in time."""
    assert _bearer(Identity())() == {"token": "token", "expires_at": datetime.fromtimestamp(1_800_000_000, UTC)}


def test_faulty_settings_open_nothing() -> None:
    """Settings with faults are refused before a client is made."""
    with pytest.raises(ConfigurationError, match="container is ''"):
        connect(StoreSettings("azure", account="a", account_key="c2VjcmV0"))


@pytest.mark.parametrize("name", ["", "a/b", "../a", "_claims"])
def test_a_models_name_that_is_no_folder_is_refused(name: str) -> None:
    """The store of a model whose name cannot be a folder's cannot be made."""
    with pytest.raises(ConfigurationError, match="the model's name is"):
        ObjectModelStore(connect(StoreSettings("azure", container="models", account="a", account_key="c2VjcmV0")), name)
