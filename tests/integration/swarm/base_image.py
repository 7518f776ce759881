"""The base image of these tests, made of Debian's packages, because no registry can be counted on."""

import subprocess
from pathlib import Path

import docker
from docker.errors import ImageNotFound

BASE = "nocturne-test/base:bookworm"
_PACKAGES = "python3,haproxy,ca-certificates"
# The host's own choice of mirror, where it is a Debian.
_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))


def ensure_base_image(client: docker.DockerClient, folder: Path) -> str:
    """The base image's tag; making the image takes about half a minute, once a machine."""
    try:
        client.images.get(BASE)
    except ImageNotFound:
        _make(client, folder / "base.tar")
    return BASE


def _make(client: docker.DockerClient, archive: Path) -> None:
    sources = [str(path) for path in _SOURCES if path.exists()]
    command = ["mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(archive), *sources]
    subprocess.run(command, check=True, capture_output=True, text=True)
    repository, _, tag = BASE.partition(":")
    client.api.import_image_from_file(str(archive), repository=repository, tag=tag)
    archive.unlink()
