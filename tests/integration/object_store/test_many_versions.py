"""Ten thousand versions in one container."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import obstore
import pytest
from obstore.store import ObjectStore

from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect, ensure_container
from nocturne.adapters.object_store.blobs import Blob, Blobs
from nocturne.adapters.object_store.latest import LatestRule
from nocturne.domain.configuration import Latest
from nocturne.domain.errors import NotFound
from nocturne.domain.model import ModelFile, ModelManifest
from tests.azurite import Azurite
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model

MANY = 10_000
FILE = ModelFile("model.onnx", 5, "sha256:" + "0" * 64)


class Counted(Blobs):
    """The real store, which counts what it is asked."""

    def __init__(self, objects: ObjectStore) -> None:
        super().__init__(objects)
        self.asked: Counter[str] = Counter()

    def read(self, path: str, *limit: int) -> Blob | None:
        self.asked["read"] += 1
        return super().read(path, *limit)

    def stat(self, path: str) -> Blob | None:
        self.asked["stat"] += 1
        return super().stat(path)

    def folders(self, path: str) -> list[str]:
        self.asked["folders"] += 1
        return super().folders(path)

    def below(self, path: str) -> list[tuple[str, Blob]]:
        self.asked["below"] += 1
        return super().below(path)


@dataclass(frozen=True)
class Crowd:
    """A container with many versions, 0.0.0 to 0.0.9999."""

    objects: ObjectStore

    def store(self, kind: Latest = Latest.POINTER) -> tuple[ObjectModelStore, Counted]:
        store, counted = ObjectModelStore(self.objects, NAME, LatestRule(kind)), Counted(self.objects)
        store._blobs = counted
        return store, counted


@pytest.fixture(scope="module")
def crowd(azurite: Azurite) -> Crowd:
    """The versions are published without Nocturne: only their manifests, in parallel."""
    settings: StoreSettings = azurite.settings("many-versions")
    ensure_container(settings)
    objects = connect(settings)

    async def put_all() -> None:
        gate = asyncio.Semaphore(32)

        async def put(number: int) -> None:
            manifest = ModelManifest(NAME, f"0.0.{number}", "2026-11-22T02:00:00+00:00", (FILE,), {"labels": ["0"]})
            async with gate:
                await obstore.put_async(objects, f"{NAME}/{manifest.version}/manifest.json", manifest.to_json())

        await asyncio.gather(*map(put, range(MANY)))

    asyncio.run(put_all())
    return Crowd(objects)


@pytest.mark.timeout(900)
def test_the_newest_of_many_are_listed_with_few_requests(crowd: Crowd, tmp_path: Path) -> None:
    """A list of 50 reads 50 manifests; who published last is the first; once the times are remembered, no list goes through all."""
    store, counted = crowd.store()
    assert len(store.versions(50)) == 50
    assert counted.asked == {"read": 52, "folders": 1, "below": 1}
    folder = write_model(tmp_path / "v1", size=100)
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    assert len(json.loads(crowd.objects.get(f"{NAME}/_times").bytes().to_bytes())) == MANY + 1
    store, counted = crowd.store()
    listed = store.versions(50)
    assert counted.asked == {"read": 52, "folders": 1}
    assert (listed[0].version, listed[0].latest) == ("v1", True)
    assert [found.latest for found in listed[1:]] == [False] * 49


@pytest.mark.timeout(900)
def test_the_latest_of_many_is_found_with_few_requests(crowd: Crowd, tmp_path: Path) -> None:
    """By each rule, freezing reads one manifest, and neither asks for every version nor lists every blob."""
    folder = write_model(tmp_path / "v2", size=100)
    crowd.store()[0].publish(folder, manifest_of(folder, "v2"), ignore)
    assert crowd.store(Latest.NEWEST)[0].freeze(None).version == "v2"
    for kind in Latest:
        store, counted = crowd.store(kind)
        if kind is Latest.HIGHEST:
            with pytest.raises(Exception, match=r"0\.0\.9999 is not what its manifest says"):
                store.freeze(None)
        elif kind is not Latest.PINNED:
            assert store.freeze(None).version == "v2"
        assert counted.asked["below"] == 0
        assert counted.asked.total() < 15


@pytest.mark.timeout(900)
def test_a_message_names_few_of_many(crowd: Crowd) -> None:
    """A version that does not exist is told with the newest ten and the number of the others."""
    with pytest.raises(NotFound, match=r"there are: (\S+, ){9}\S+ and 9,99\d older") as raised:
        crowd.store()[0].freeze("0.1.0")
    assert len(raised.value.message) < 400
