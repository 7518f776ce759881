"""An empty place for each test: a container of the real Azurite, a bucket of the real moto, or a folder."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import StoreSettings, connect, ensure_container
from tests.azurite import Azurite, azurite
from tests.integration.object_store.moto_server import Moto, moto, strict_moto
from tests.integration.object_store.proxy import Network, network

__all__ = ["azurite", "moto", "strict_moto"]


@pytest.fixture
def azure_settings(azurite: Azurite) -> StoreSettings:
    settings = azurite.settings(f"models-{uuid4().hex}")
    ensure_container(settings)
    return settings


@pytest.fixture
def s3_settings(moto: Moto) -> StoreSettings:
    settings = moto.settings(f"models-{uuid4().hex}")
    ensure_container(settings)
    return settings


@pytest.fixture
def versioned_settings(moto: Moto, s3_settings: StoreSettings) -> StoreSettings:
    """A bucket that keeps every version of a blob."""
    moto.client("s3").put_bucket_versioning(Bucket=s3_settings.bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3_settings


@pytest.fixture(params=["azure", "s3", "local"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    if request.param != "local":
        return request.getfixturevalue(f"{request.param}_settings")
    settings = StoreSettings("local", path=tmp_path / "store")
    ensure_container(settings)
    return settings


@pytest.fixture
def objects(settings: StoreSettings) -> ObjectStore:
    """The bare store, for a look and a hand behind the adapter's back."""
    return connect(settings)


@dataclass(frozen=True)
class Distant:
    """A store behind a bad network. settings: through the network. objects: past it."""

    settings: StoreSettings
    objects: ObjectStore
    network: Network


@pytest.fixture(params=["azure", "s3"])
def distant(request: pytest.FixtureRequest) -> Iterator[Distant]:
    direct: StoreSettings = request.getfixturevalue(f"{request.param}_settings")
    parts = urlsplit(direct.endpoint)
    with network(f"{parts.scheme}://{parts.netloc}") as between:
        yield Distant(replace(direct, endpoint=between.url + parts.path), connect(direct), between)
