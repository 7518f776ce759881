"""A real registry of the tests' own: Debian's `docker-registry` on a free port, with or without a login."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ports import free_port

USER = "nightly"
PASSWORD = "correct horse"
# `htpasswd -nbB nightly "correct horse"`: the registry takes no other algorithm than bcrypt.
HTPASSWD = "nightly:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"


@dataclass(frozen=True)
class LocalRegistry:
    """host: `localhost:PORT`, which Docker Engine allows over plain HTTP. data, log: where the registry keeps and tells."""

    host: str
    data: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@contextmanager
def local_registry(folder: Path, auth: Mapping[str, Any] | None = None, port: int = 0) -> Iterator[LocalRegistry]:
    """A registry that keeps its data in `folder`, ended by its pid. auth: that part of its configuration."""
    port = port or free_port()
    configuration: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if auth:
        configuration["auth"] = auth
    file, log = folder / "config.yml", folder / "registry.log"
    # JSON is YAML.
    file.write_text(json.dumps(configuration))
    with log.open("ab") as output:
        environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
        process = subprocess.Popen(["docker-registry", "serve", str(file)], stdout=output, stderr=output, env=environment)
    registry = LocalRegistry(f"localhost:{port}", folder / "data", log, process)
    try:
        _wait_until_up(registry)
        yield registry
    finally:
        process.terminate()
        process.wait(10)


def htpasswd_auth(folder: Path) -> dict[str, Any]:
    """The configuration of a registry that lets USER in with PASSWORD."""
    file = folder / "htpasswd"
    file.write_text(HTPASSWD + "\n")
    return {"htpasswd": {"realm": "tests", "path": str(file)}}


def _wait_until_up(registry: LocalRegistry) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and registry.process.poll() is None:
        try:
            httpx.get(f"{registry.url}/v2/", timeout=2)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"docker-registry did not start:\n{registry.log.read_text()}")
