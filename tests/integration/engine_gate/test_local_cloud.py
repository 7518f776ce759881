"""`nocturne server local-cloud` on a real registry, a real store and the real engine behind its gate."""

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from nocturne.composition import ConnectedWorld
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.domain.release_toml import parse_configuration
from nocturne.ports.app_environment import Finished, Log
from nocturne.ports.connections import Connection
from nocturne.server.local_cloud import fill
from tests.azurite import ACCOUNT, Azurite, azurite
from tests.fakes.app_environment import FakeAppEnvironment
from tests.integration.oci_registry.local_registry import LocalRegistry, local_registry
from tests.integration.swarm.overlay import make_overlay, remove_overlay

pytestmark = pytest.mark.docker
__all__ = ["azurite"]

RELEASE = Path(__file__).parents[3] / "app" / "release.toml"
CARD = {
    "schema": 1,
    "name": "digits",
    "model": "model.onnx",
    "input": {"name": "image", "shape": [None, 64], "type": "float32"},
    "output": {"name": "probabilities", "kind": "probabilities"},
    "labels": ["0", "1"],
    "metrics": {"accuracy": 0.98},
}


class Training(FakeAppEnvironment):
    """Writes a model where it is told to; the app's real training takes a minute and is part of `make up`'s tests."""

    def run(self, app: Path, command: Sequence[str], *, timeout: float, log: Log, memory_bytes: int | None = None) -> Finished:
        assert (app / "README.md").read_text() == "the app"
        folder = Path(command[command.index("--out") + 1])
        folder.mkdir()
        (folder / "model.onnx").write_bytes(b"\x08onnx")
        (folder / "model.json").write_text(json.dumps(CARD))
        return super().run(app, command, timeout=timeout, log=log, memory_bytes=memory_bytes)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    (tmp_path / "registry").mkdir()
    with local_registry(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def network(client: docker.DockerClient) -> Iterator[str]:
    """An attachable overlay network on a swarm's manager."""
    name = f"nocturne-test-{secrets.token_hex(4)}"
    make_overlay(client, name)
    yield name
    remove_overlay(client, name)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone that belongs to somebody else, as one that is mounted into a container does."""
    folder = tmp_path / "repository"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "README.md").write_text("the app")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for arguments in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message", "first")):
        subprocess.run(["git", "-C", folder, *arguments], check=True)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 12345, 12345)
    return folder


@pytest.fixture
def connections(
    gate: str, registry: LocalRegistry, azurite: Azurite, network: str, repository: Path, tmp_path: Path
) -> dict[str, Connection]:
    """As the server writes them; the registry is asked by another name than the engine's."""
    port = registry.host.partition(":")[2]
    place = {"service": network, "network": network, "public_url": "http://127.0.0.1:9", "front_door_stats": "http://127.0.0.1:9"}
    container = f"models-{secrets.token_hex(4)}"
    found = (
        Connection("nocturne_code", host=str(repository)),
        Connection("nocturne_engine", host=f"tcp://{gate}", extra={"trial_network": "unused"}),
        Connection("nocturne_registry", "docker", "http://127.0.0.1", int(port), extra={"image_host": registry.host}),
        Connection("nocturne_sandbox", host=f"tcp://{gate}", extra=place),
        Connection("nocturne_models", "wasb", azurite.url, None, ACCOUNT, azurite.key, {"container": container}),
        Connection("nocturne_ledger", extra={"url": f"sqlite:///{tmp_path / 'ledger.db'}"}),
    )
    return {connection.id: connection for connection in found}


@pytest.fixture
def world(connections: dict[str, Connection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], ConnectedWorld]:
    monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / "cache"))

    def make() -> ConnectedWorld:
        made = ConnectedWorld(parse_configuration(RELEASE.read_bytes(), "release.toml"), connections.__getitem__, lambda line: None)
        made.__dict__["environment"] = Training()
        return made

    return make


def test_an_empty_cloud_is_filled_once(
    world: Callable[[], ConnectedWorld], connections: dict[str, Connection], client: docker.DockerClient, base: str
) -> None:
    """Container, base image and model are made, and found the second time; the image is named as engine and cluster pull it."""
    host = connections["nocturne_registry"].extra["image_host"]
    container = connections["nocturne_models"].extra["container"]
    try:
        first = list(fill(world(), connections.__getitem__, base))
    finally:
        # By this name alone: the image itself is other tests', too.
        client.images.remove(f"{host}/base/python:3.11", noprune=True)
    digest = world().registry.digest("base/python:3.11")
    version = world().models.versions(1)[0].version
    assert first[1:] == [
        f"blob storage: made the container {container}",
        f"registry: pushed {base} as {host}/base/python@{digest}",
        f'model: trained and published digits {version} {{"accuracy": 0.98}}',
    ]
    assert first[0].endswith("is there, and it runs no release yet")
    assert list(fill(world(), connections.__getitem__, "never/asked:for"))[1:] == [
        f"blob storage: has the container {container}",
        f"registry: has base/python:3.11, {digest}",
        f"model: {version} is there",
    ]
    assert client.images.list(name=base)


def test_a_missing_network(world: Callable[[], ConnectedWorld], connections: dict[str, Connection], base: str) -> None:
    """A network that is not there, and one that no container may join, are told with the command that makes a good one."""
    place = connections["nocturne_sandbox"]
    for wrong in ("nocturne-test-none", "ingress"):
        connections["nocturne_sandbox"] = replace(place, extra={**place.extra, "network": wrong})
        with pytest.raises(Broken, match=rf"found .*{wrong}.*, expected an attachable overlay network") as raised:
            list(fill(world(), connections.__getitem__, base))
        assert f"docker network create --driver overlay --attachable {wrong}" in raised.value.advice


def test_a_missing_base_image(world: Callable[[], ConnectedWorld], connections: dict[str, Connection]) -> None:
    """A base image that can neither be found nor pulled is told by its name, after what could be done was done."""
    lines: list[str] = []
    with pytest.raises(Broken, match="nocturne-test/nothing:1"):
        lines.extend(fill(world(), connections.__getitem__, "localhost:9/nocturne-test/nothing:1"))
    assert [line.partition(":")[0] for line in lines] == ["swarm", "blob storage"]


def test_another_target(world: Callable[[], ConnectedWorld], connections: dict[str, Connection], base: str) -> None:
    """An installation that ships to Kubernetes has no use for a local swarm, and is told so."""
    elsewhere = world()
    night = replace(elsewhere.configuration.night, environment="kubernetes")
    elsewhere.configuration = replace(elsewhere.configuration, night=night)
    with pytest.raises(ConfigurationError, match="found the environment kubernetes"):
        list(fill(elsewhere, connections.__getitem__, base))
