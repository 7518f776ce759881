import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nocturne.adapters.object_store import StoreSettings, ensure_container
from nocturne.domain.errors import Broken
from nocturne.sandbox.blob import Blob
from nocturne.sandbox.port_check import is_free, owner_of
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.progress import SilentReport
from nocturne.sandbox.registry import Registry
from nocturne.sandbox.secret_file import load_or_make
from nocturne.sandbox.server import Server
from nocturne.sandbox.settings import Settings

REPORT = SilentReport()


@pytest.fixture
def registry(settings: Settings) -> Iterator[Registry]:
    part = Registry(settings, Programs(settings.logs))
    yield part
    part.stop()


@pytest.fixture
def blob(settings: Settings) -> Iterator[Blob]:
    part = Blob(settings, Programs(settings.logs))
    yield part
    part.stop()


def kill(part: Server) -> None:
    pid = part.process.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while part.process.pid():
        time.sleep(0.01)


def test_the_registry_keeps_its_data_over_a_stop(registry: Registry, settings: Settings) -> None:
    """It listens on its port by the pid that its status tells, frees the port when stopped, and still has an upload afterwards."""
    registry.start(REPORT)
    assert registry.status().running
    assert owner_of(settings.registry_port) == registry.status().pid
    digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    with httpx.Client(base_url=f"http://127.0.0.1:{settings.registry_port}") as client:
        upload = client.post("/v2/app/blobs/uploads/").headers["Location"]
        assert client.put(f"{upload}&digest={digest}", content=b"hello").status_code == 201
    assert registry.stop()
    assert is_free(settings.registry_port)
    assert not registry.status().running
    registry.start(REPORT)
    assert httpx.get(f"http://127.0.0.1:{settings.registry_port}/v2/app/blobs/{digest}").content == b"hello"


def test_starting_again_changes_nothing(registry: Registry) -> None:
    """A second start finds the process of the first and leaves it alone."""
    registry.start(REPORT)
    pid = registry.status().pid
    registry.start(REPORT)
    assert registry.status().pid == pid


def test_a_killed_part_is_seen_and_started_anew(registry: Registry) -> None:
    """After a SIGKILL the status says it is down, and the next start brings it back."""
    registry.start(REPORT)
    kill(registry)
    assert registry.status().detail == "not running"
    registry.start(REPORT)
    assert registry.status().running


def test_a_part_that_hangs_is_seen_and_replaced(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs but does not answer counts as down, and the next start puts another in its place."""
    registry.start(REPORT)
    pid = registry.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    # Each of its threads stops when its turn comes, and until then answers.
    while {stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")} != {"T"}:
        time.sleep(0.01)
    with monkeypatch.context() as impatient:
        impatient.setattr(registry._client, "timeout", httpx.Timeout(0.5))
        assert f"process {pid} runs but does not answer" in registry.status().detail
    monkeypatch.setattr(registry, "start_seconds", 0.0)
    monkeypatch.setattr(registry, "stop_seconds", 0.5)
    with pytest.raises(Broken, match="not ready after 0 s"):
        registry.start(REPORT)
    monkeypatch.setattr(registry, "start_seconds", 30.0)
    registry.start(REPORT)
    assert registry.status().running
    assert registry.status().pid != pid


def test_blob_storage_takes_the_sandbox_key_and_no_other(blob: Blob, settings: Settings) -> None:
    """The container for models is there, the account's own key opens it, and Azurite's well-known account does not exist."""
    blob.start(REPORT)
    assert blob.status().running
    secrets = load_or_make(settings.home)
    store = StoreSettings("azure", container="models", account="nocturne", account_key=secrets.blob_key, endpoint=blob.address())
    assert ensure_container(store) is False
    answer = httpx.get(f"http://127.0.0.1:{settings.blob_port}/devstoreaccount1?comp=list")
    assert answer.status_code in (400, 403, 404)
    assert blob.stop()
    assert is_free(settings.blob_port)
    assert secrets.blob_key not in blob.process.log.read_text()
