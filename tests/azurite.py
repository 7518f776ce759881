"""The real Azurite, Microsoft's emulator of Azure Blob Storage, on a free port; installed by npm where it is missing."""

import base64
import fcntl
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nocturne.adapters.object_store import StoreSettings

VERSION = "3.37.0"
ACCOUNT = "nocturne"
START_SECONDS = 60
_LISTENS = re.compile(r"successfully listens on (http://[0-9.]+:[0-9]+)")
_REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Azurite:
    """A running Azurite. url: of the account. key: this run's own."""

    url: str
    key: str
    process: subprocess.Popen[bytes]

    def settings(self, container: str, *, retry_seconds: float = 20) -> StoreSettings:
        return StoreSettings(
            "azure", container=container, account=ACCOUNT, account_key=self.key, endpoint=self.url, retry_seconds=retry_seconds
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def start_azurite(folder: Path) -> Azurite:
    """Start one that keeps its data in `folder`, and return once it listens."""
    program, log = install(), folder / "azurite.log"
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    command = [program, "--blobPort", "0", "--location", folder, "--disableTelemetry", "--silent"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}, stdout=output, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + START_SECONDS
    while not (found := _LISTENS.search(log.read_text())):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"Azurite did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return Azurite(f"{found[1]}/{ACCOUNT}", key, process)


def install() -> Path:
    """The program, installed into NOCTURNE_TEST_CACHE (or .nocturne-test/ in the repository) when it is not there."""
    if present := shutil.which("azurite-blob"):
        return Path(present)
    folder = Path(os.environ.get("NOCTURNE_TEST_CACHE") or _REPOSITORY / ".nocturne-test") / f"azurite-{VERSION}"
    program, complete = folder / "node_modules" / ".bin" / "azurite-blob", folder / "complete"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            _npm_install(folder)
            complete.touch()
    return program


def _npm_install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("these tests need Azurite: found no npm to install it with (on Debian: apt-get install npm)")
    command = [npm, "install", "--prefix", folder, "--no-audit", "--no-fund", f"azurite@{VERSION}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"npm could not install Azurite:\n{done.stdout}")


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One for all tests of a session; each makes containers of its own."""
    running = start_azurite(tmp_path_factory.mktemp("azurite"))
    yield running
    running.stop()
