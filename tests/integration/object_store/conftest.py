"""An empty place for each test: a container of the real Azurite, or a folder."""

from pathlib import Path
from uuid import uuid4

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import StoreSettings, connect, ensure_container
from tests.azurite import Azurite, azurite

__all__ = ["azurite"]


@pytest.fixture
def azure_settings(azurite: Azurite) -> StoreSettings:
    settings = azurite.settings(f"models-{uuid4().hex}")
    ensure_container(settings)
    return settings


@pytest.fixture(params=["azure", "local"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    if request.param == "azure":
        return request.getfixturevalue("azure_settings")
    settings = StoreSettings("local", path=tmp_path / "store")
    ensure_container(settings)
    return settings


@pytest.fixture
def objects(settings: StoreSettings) -> ObjectStore:
    """The bare store, for a look and a hand behind the adapter's back."""
    return connect(settings)
