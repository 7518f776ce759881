"""Stores that are down, refuse, or are not there."""

import base64
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import generate_account_sas

from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect, ensure_container
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.connection_string import from_connection_string
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.domain.model import FrozenModel
from tests.azurite import ACCOUNT, Azurite, start_azurite
from tests.integration.object_store.models import NAME, ignore, manifest_of, write_model
from tests.integration.object_store.proxy import answer, network

WITHIN_SECONDS = 60
"""Far above a patience of seconds, and far below the half hour that a large blob may take."""

CLOSED_PORT = 1
"""Of a service that nobody has (tcpmux)."""
WRONG_KEY = base64.b64encode(b"another key, just as long as keys are").decode()


def store_of(settings: StoreSettings) -> ObjectModelStore:
    return ObjectModelStore(connect(settings), NAME)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda url: {"account_key": WRONG_KEY}, "the credentials were refused"),
        (
            lambda url: {"account": "other", "endpoint": url.replace(f"/{ACCOUNT}", "/other")},
            "the storage account does not exist there",
        ),
        (lambda url: {"container": "nowhere"}, "the container does not exist"),
        (
            lambda url: {"endpoint": f"http://127.0.0.1:{CLOSED_PORT}/{ACCOUNT}", "retry_seconds": 0.5},
            "nothing listens at its address",
        ),
        (lambda url: {"endpoint": f"http://nowhere.invalid/{ACCOUNT}", "retry_seconds": 0.5}, "its host name is unknown"),
    ],
    ids=["key", "account", "container", "port", "host"],
)
def test_every_wrong_setting_is_told_from_the_others(azure_settings: StoreSettings, change: object, fault: str) -> None:
    """A wrong key, account, container, port and host each have their own message, in `check` and in every other call."""
    store = store_of(replace(azure_settings, **change(azure_settings.endpoint)))  # type: ignore[operator]
    faults = store.check()
    assert len(faults) == 1
    assert fault in faults[0]
    for call in (lambda: store.freeze(None), lambda: store.freeze("v1"), store.versions):
        with pytest.raises(Broken, match=fault):
            call()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"bucket": "nowhere"}, "the bucket does not exist"),
        ({"endpoint": f"http://127.0.0.1:{CLOSED_PORT}", "retry_seconds": 0.5}, "nothing listens at its address"),
        ({"endpoint": "http://nowhere.invalid", "retry_seconds": 0.5}, "its host name is unknown"),
    ],
    ids=["bucket", "port", "host"],
)
def test_every_wrong_setting_of_s3_is_told_from_the_others(s3_settings: StoreSettings, change: dict[str, Any], fault: str) -> None:
    """A wrong bucket, port and host each have their own message, in `check` and in every other call."""
    store = store_of(replace(s3_settings, **change))
    faults = store.check()
    assert len(faults) == 1
    assert fault in faults[0]
    for call in (lambda: store.freeze(None), lambda: store.freeze("v1"), store.versions):
        with pytest.raises(Broken, match=fault):
            call()


def sas(settings: StoreSettings, permission: str, end: str) -> StoreSettings:
    """The same container, with a SAS token in place of the key."""
    token = generate_account_sas(ACCOUNT, settings.account_key, "sco", permission, end, services="b")
    return replace(settings, account_key="", sas_token=token)


def test_a_sas_token_that_has_ended_says_when(azure_settings: StoreSettings) -> None:
    """An expired SAS token is told with its end, wherever it is refused."""
    settings = sas(azure_settings, "rwl", "2020-01-31T10:00:00Z")
    blobs = Blobs(connect(settings))
    for call in (lambda: blobs.folders(NAME), lambda: blobs.stat("x"), lambda: blobs.read("x"), lambda: blobs.create("x", b"1")):
        with pytest.raises(Broken, match="the SAS token ended on 2020-01-31 at 10:00 UTC") as raised:
            call()
        assert settings.sas_token not in f"{raised.value}{raised.value.__cause__}"


@pytest.mark.parametrize("permission", ["r", "l"])
def test_a_right_that_is_missing_is_told_from_wrong_credentials(azure_settings: StoreSettings, permission: str) -> None:
    """A good SAS token that does not allow what is asked is told as that, with the role that would."""
    blobs = Blobs(connect(sas(azure_settings, permission, "2099-01-01T00:00:00Z")))
    with pytest.raises(Broken, match="the credentials are good, but do not allow this") as raised:
        blobs.folders(NAME) if permission == "r" else blobs.read("x")
    assert "Storage Blob Data Contributor" in raised.value.advice


def test_a_good_connection_has_no_fault(azure_settings: StoreSettings) -> None:
    """A connection that works is without fault, and a container can be ensured any number of times."""
    assert store_of(azure_settings).check() == []
    assert ensure_container(azure_settings) is False


def test_no_secret_is_in_an_error(azure_settings: StoreSettings, tmp_path: Path) -> None:
    """Neither the settings' repr nor any error of the chain holds the key or the signature of a SAS token."""
    sas = "sv=2021-12-02&ss=b&srt=sco&sp=rl&se=2099-01-01T00%3A00%3A00Z&sig=c2VjcmV0IHNpZ25hdHVyZQ%3D%3D"
    wrong_key = replace(azure_settings, account_key=WRONG_KEY)
    wrong_sas = replace(azure_settings, account_key="", sas_token=sas)
    down = replace(wrong_sas, endpoint=f"http://127.0.0.1:{CLOSED_PORT}/{ACCOUNT}", retry_seconds=0.3)
    told = []
    for settings in (wrong_key, wrong_sas, down):
        with pytest.raises(Broken) as raised:
            store_of(settings).freeze(None)
        with pytest.raises(Broken) as on_creation:
            ensure_container(settings)
        told += [
            str(raised.value),
            str(raised.value.__cause__),
            str(on_creation.value),
            str(on_creation.value.__cause__),
            repr(settings),
        ]
    assert not [text for text in told if WRONG_KEY in text or "c2VjcmV0" in text]


def test_a_sas_token_opens_the_store(azure_settings: StoreSettings, tmp_path: Path) -> None:
    """A SAS token, with or without its question mark, is as good as the key."""
    sas = generate_account_sas(ACCOUNT, azure_settings.account_key, "sco", "rwlacd", "2099-01-01T00:00:00Z", services="b")
    store, folder = store_of(replace(azure_settings, account_key="", sas_token=f"?{sas}")), write_model(tmp_path / "v1")
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    store.fetch(store.freeze(None), "model.onnx", tmp_path / "back", ignore)
    assert (tmp_path / "back").read_bytes() == (folder / "model.onnx").read_bytes()


def test_a_connection_string_opens_the_store(azure_settings: StoreSettings) -> None:
    """What the Azure portal shows as the connection string is enough."""
    key, url = azure_settings.account_key, azure_settings.endpoint
    text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={url};"
    assert store_of(from_connection_string(text, azure_settings.container)).check() == []


class Refused(TokenCredential):
    """An identity that gets no token."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        raise ClientAuthenticationError("no such tenant")


class Fleeting(TokenCredential):
    """An identity whose tokens end at once, each another one."""

    def __init__(self) -> None:
        self.given = 0

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.given += 1
        return AccessToken(f"token-{self.given}", int(time.time()) + 1)


def test_a_token_is_renewed_while_a_download_runs(azure_settings: StoreSettings) -> None:
    """Each request of an identity whose token is about to end carries a new one."""
    parts, identity = urlsplit(azure_settings.endpoint), Fleeting()
    with network(f"{parts.scheme}://{parts.netloc}") as between:
        between.spoil("", *[answer(500)] * 3)
        settings = replace(azure_settings, account_key="", credential=identity, endpoint=between.url + parts.path)
        with pytest.raises(Broken):
            Blobs(connect(settings)).folders(NAME)
    tokens = [seen.headers["authorization"] for seen in between.seen]
    assert len(tokens) == 4
    assert len(set(tokens)) == 4


def test_an_identity_without_a_token_is_broken(azure_settings: StoreSettings) -> None:
    """When the identity provider refuses, the store is out of reach, and the message passes its reason on."""
    store = store_of(replace(azure_settings, account_key="", credential=Refused()))
    with pytest.raises(Broken, match="no credentials: no such tenant"):
        store.freeze(None)


def test_variables_of_the_process_decide_nothing(azure_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """AZURE_* variables of the process, which the client reads too, do not get in the way of the settings."""
    for name, value in {
        "ACCOUNT_NAME": "other",
        "ACCOUNT_KEY": WRONG_KEY,
        "SAS_TOKEN": "sv=1&sig=x",
        "ENDPOINT": "http://127.0.0.1:1",
        "USE_EMULATOR": "true",
        "TOKEN": "x",
    }.items():
        monkeypatch.setenv(f"AZURE_STORAGE_{name}", value)
    monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
    assert store_of(azure_settings).check() == []


def frozen_elsewhere(tmp_path: Path, running: Azurite) -> tuple[StoreSettings, FrozenModel]:
    settings = running.settings("models", retry_seconds=3)
    ensure_container(settings)
    store, folder = store_of(settings), write_model(tmp_path / "v1")
    store.publish(folder, manifest_of(folder, "v1"), ignore)
    return settings, store.freeze(None)


def test_a_store_that_goes_down_is_broken_within_bounds(tmp_path: Path) -> None:
    """A store that stopped makes every call Broken soon after the time that was set for trying again."""
    running = start_azurite(tmp_path)
    try:
        settings, frozen = frozen_elsewhere(tmp_path, running)
    finally:
        running.stop()
    store, folder = store_of(settings), write_model(tmp_path / "v2")
    for call in (
        lambda: store.freeze(None),
        lambda: store.fetch(frozen, "model.onnx", tmp_path / "back", ignore),
        lambda: store.publish(folder, manifest_of(folder, "v2"), ignore),
        store.versions,
    ):
        started = time.monotonic()
        with pytest.raises(Broken, match="nothing listens at its address"):
            call()
        assert time.monotonic() - started < WITHIN_SECONDS
    assert not (tmp_path / "back").exists()


def test_a_store_that_hangs_is_broken_within_bounds(tmp_path: Path) -> None:
    """A store that takes connections and never answers is Broken after one read timeout, not after half an hour."""
    running = start_azurite(tmp_path)
    try:
        settings, _ = frozen_elsewhere(tmp_path, running)
        os.kill(running.process.pid, signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(Broken, match="it did not answer in time"):
            store_of(settings).freeze(None)
        assert time.monotonic() - started < WITHIN_SECONDS
    finally:
        os.kill(running.process.pid, signal.SIGCONT)
        running.stop()


def test_a_folder_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    """A local store whose folder does not exist is refused by name, and `ensure_container` makes it."""
    settings = StoreSettings("local", path=tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="nowhere does not exist"):
        connect(settings)
    assert ensure_container(settings) is True
    assert store_of(settings).check() == []
