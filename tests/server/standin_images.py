"""Images for where none can be pulled: one Debian with every program in it, under one name for each image that it stands in for."""

import shutil
import tempfile
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from nocturne.domain import digest
from nocturne.sandbox import Settings, azurite
from nocturne.sandbox.debian_image import DebianImage, build
from nocturne.sandbox.programs import Programs

PACKAGES = (
    "docker-registry",
    "haproxy",
    "nodejs",
    "postgresql",
    "redis-server",
    "wget",
)
NAMES = ("postgres", "redis", "registry", "haproxy")
_FOLDER = Path(__file__).with_name("standins")
_BASE = f"nocturne-test/server-standin:{digest.of_json(list(PACKAGES)).removeprefix('sha256:')[:12]}"


def ensure_standins(client: docker.DockerClient, work: Path) -> dict[str, str]:
    """Name to image, built where they are missing; the first time that takes a minute."""
    if not _has(client, _BASE):
        build(DebianImage(PACKAGES), _BASE, work, "", Programs(work / "logs"), client)
    images = {name: _target(client, _FOLDER, name) for name in NAMES}
    with tempfile.TemporaryDirectory(dir=work) as folder:
        context = Path(folder) / "context"
        shutil.copytree(_FOLDER, context)
        program = azurite.installed(Settings.from_environment({}).tools)
        assert program, "the fixture `prepared` installs Azurite"
        shutil.copytree(program.parents[5], context / "azurite", symlinks=True, ignore=shutil.ignore_patterns("lock", "complete"))
        return images | {"azurite": _target(client, context, "azurite")}


def _target(client: docker.DockerClient, context: Path, name: str) -> str:
    image = f"nocturne-test/server-standin-{name}:latest"
    client.images.build(path=str(context), target=name, tag=image, buildargs={"BASE": _BASE}, rm=True, network_mode="none")
    return image


def _has(client: docker.DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    return True
