"""The gate in a container as docker-compose.yaml runs it: root without capabilities, on a root file system that is read only."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import httpx
import pytest

from tests.integration.engine_gate.recorder import Recorder, recording
from tests.integration.swarm.base_image import ensure_base_image

CONFIGURATION = Path(__file__).parents[3] / "compose" / "engine.cfg"
ENGINE = Path("/var/run/docker.sock")


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine, past the gate."""
    connected = docker.from_env(timeout=60)
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def base(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    return ensure_base_image(client, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def gate(client: docker.DockerClient, base: str) -> Iterator[str]:
    """The address of a gate before the real engine, `host:port`."""
    with gate_before(client, base, ENGINE) as address:
        yield address


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    with recording(tmp_path_factory.mktemp("engine") / "docker.sock") as server:
        yield server


@pytest.fixture(scope="session")
def _recorded(client: docker.DockerClient, base: str, recorder: Recorder) -> Iterator[httpx.Client]:
    with (
        gate_before(client, base, Path(str(recorder.server_address))) as address,
        httpx.Client(base_url=f"http://{address}") as caller,
    ):
        yield caller


@pytest.fixture
def ask(_recorded: httpx.Client, recorder: Recorder) -> Callable[[str, str], tuple[httpx.Response, list[str]]]:
    """Call the recorder through a gate, the path exactly as it is given; the answer, and what the recorder was asked."""

    def send(method: str, path: str) -> tuple[httpx.Response, list[str]]:
        recorder.asked.clear()
        # The target as it is, for a client would tidy up what a stranger writes: https://www.python-httpx.org/advanced/extensions
        answer = _recorded.request(method, "/", extensions={"target": path.encode()})
        return answer, list(recorder.asked)

    return send


@pytest.fixture
def caller(_recorded: httpx.Client, recorder: Recorder) -> httpx.Client:
    """A client of the recorder's gate."""
    for event in (recorder.heard, recorder.told, recorder.left):
        event.clear()
    return _recorded


@contextmanager
def gate_before(client: docker.DockerClient, image: str, engine: Path) -> Iterator[str]:
    """A gate before the engine at a socket."""
    container = client.containers.run(
        image,
        ["haproxy", "-db", "-f", "/etc/nocturne/engine.cfg"],
        name=f"nocturne-test-gate-{secrets.token_hex(4)}",
        detach=True,
        volumes={
            str(CONFIGURATION): {"bind": "/etc/nocturne/engine.cfg", "mode": "ro"},
            str(engine): {"bind": "/var/run/docker.sock", "mode": "rw"},
        },
        ports={"2375/tcp": ("127.0.0.1", 0)},
        user="0:0",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
    )
    try:
        container.reload()
        address = f"127.0.0.1:{container.ports['2375/tcp'][0]['HostPort']}"
        _wait(container, address)
        yield address
    finally:
        container.remove(force=True, v=True)


def _wait(container: docker.models.containers.Container, address: str) -> None:
    for _ in range(150):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://{address}/version")
            return
        time.sleep(0.1)
    pytest.fail(f"the gate did not start: {container.logs().decode()}")
