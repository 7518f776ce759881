"""The real Azurite, Microsoft's emulator of Azure Blob Storage, on a free port; installed by npm where it is missing."""

import base64
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nocturne.adapters.object_store import StoreSettings
from nocturne.sandbox import Settings
from nocturne.sandbox import azurite as sandbox_azurite
from nocturne.sandbox.programs import Programs

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
    command = ["node", program, "--blobPort", "0", "--location", folder, "--disableTelemetry", "--silent"]
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
    """Azurite's program for Node, the one that the sandbox uses; installed when it is not there."""
    tools = Settings.from_environment({}).tools
    sandbox_azurite.install(tools, Programs(_REPOSITORY / ".nocturne-test" / "logs"))
    program = sandbox_azurite.installed(tools)
    assert program is not None
    return program


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One for all tests of a session; each makes containers of its own."""
    running = start_azurite(tmp_path_factory.mktemp("azurite"))
    yield running
    running.stop()
