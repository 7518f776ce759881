"""The recipes of docs/models.md, as they stand there, against the real stores."""

import hashlib
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect
from nocturne.domain.errors import BadBlob
from tests.azurite import ACCOUNT
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model
from tests.integration.object_store.moto_server import Moto

DOCUMENT = Path(__file__).parents[3] / "docs" / "models.md"


def recipe(name: str) -> str:
    """A code block of the document."""
    found = re.search(rf"<!-- recipe: {name} -->\n```\w+\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found, f"found no recipe {name} in {DOCUMENT}"
    return found[1]


def cook(name: str, folder: Path, version: str, **tools: Any) -> None:
    """Run a recipe in Python, with what the document says is there."""
    around = {"hashlib": hashlib, "json": json, "datetime": datetime, "UTC": UTC, "folder": folder, "version": version, **tools}
    exec(compile(recipe(name), str(DOCUMENT), "exec"), around)


def is_published(settings: StoreSettings, folder: Path, back: Path) -> None:
    """The folder's model is the latest, with its card and its signature, and comes back byte for byte."""
    store = ObjectModelStore(connect(settings), NAME)
    frozen = store.freeze(None)
    assert (frozen.version, frozen.digest) == ("v7", manifest_of(folder, "v7").digest)
    assert store.manifest("v7").card == {"name": "digits", "note": "a card"}
    for file in frozen.files:
        store.fetch(frozen, file.path, back / file.path, ignore)
        assert (back / file.path).read_bytes() == (folder / file.path).read_bytes()
    assert [(found.version, found.latest) for found in store.versions()] == [("v7", True)]


def container_of(settings: StoreSettings) -> ContainerClient:
    credential: Any = {"account_name": ACCOUNT, "account_key": settings.account_key}
    return ContainerClient(settings.endpoint, settings.container, credential=credential, api_version="2021-12-02")


def test_the_recipe_with_boto3(moto: Moto, s3_settings: StoreSettings, tmp_path: Path) -> None:
    """What five lines with boto3 alone published can be frozen, fetched and listed."""
    folder = write_model(tmp_path / "v7")
    cook("boto3", folder, "v7", s3=moto.client("s3"), bucket=s3_settings.bucket)
    is_published(s3_settings, folder, tmp_path / "back")


def test_the_recipe_with_azure_storage_blob(azure_settings: StoreSettings, tmp_path: Path) -> None:
    """What five lines with Azure's library alone published can be frozen, fetched and listed."""
    folder = write_model(tmp_path / "v7")
    with container_of(azure_settings) as container:
        cook("azure-storage-blob", folder, "v7", container=container)
    is_published(azure_settings, folder, tmp_path / "back")


def test_what_the_recipe_with_az_makes(azure_settings: StoreSettings, tmp_path: Path) -> None:
    """The manifest and the pointer that the shell's lines make, uploaded as `az` would, are a published version."""
    folder, place = write_model(tmp_path / "v7"), tmp_path / "shell"
    place.mkdir()
    lines = "\n".join(re.sub(r"(^|&& )az [^\n]*", r"\1true", line) for line in recipe("az").splitlines())
    bash = shutil.which("bash")
    assert bash
    subprocess.run(
        [bash, "-e", "-c", lines], cwd=place, env={"DIR": str(folder), "VERSION": "v7", "PATH": "/usr/bin:/bin"}, check=True
    )
    with container_of(azure_settings) as container:
        for path in (path for path in folder.rglob("*") if path.is_file()):
            container.upload_blob(f"{NAME}/v7/{path.relative_to(folder).as_posix()}", path.read_bytes())
        container.upload_blob(f"{NAME}/v7/manifest.json", (place / "manifest.json").read_bytes())
        container.upload_blob(f"{NAME}/latest", (place / "latest").read_bytes())
    is_published(azure_settings, folder, tmp_path / "back")


@pytest.mark.parametrize(
    ("card", "fault"), [(b'{"other": 1}', "the card digits/v7/model.json is corrupt"), (None, "found no card digits/v7/model.json")]
)
def test_a_card_that_is_not_the_manifests_is_rejected(
    moto: Moto, s3_settings: StoreSettings, tmp_path: Path, card: bytes | None, fault: str
) -> None:
    """A card that was overwritten or lost after a publishing without Nocturne is noticed by its digest."""
    folder = write_model(tmp_path / "v7")
    cook("boto3", folder, "v7", s3=moto.client("s3"), bucket=s3_settings.bucket)
    objects = connect(s3_settings)
    objects.delete(f"{NAME}/v7/model.json")
    if card:
        objects.put(f"{NAME}/v7/model.json", card)
    with pytest.raises(BadBlob, match=fault):
        ObjectModelStore(objects, NAME).freeze(None)
