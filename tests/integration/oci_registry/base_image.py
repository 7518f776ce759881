"""A base image that needs no other registry: one static program, from Debian's busybox-static."""

import io
import subprocess
import tarfile
from pathlib import Path

import docker
import pytest

from tests.conftest import installing


def busybox(folder: Path) -> Path:
    """A statically linked busybox: the machine's own, or out of Debian's package, which is unpacked and not installed."""
    own = Path("/bin/busybox")
    if own.exists() and b"statically linked" in subprocess.run(["file", own], capture_output=True, check=False).stdout:
        return own
    if not (found := folder / "unpacked/bin/busybox").exists():
        _download(folder)
        package = next(folder.glob("busybox-static_*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "unpacked")], check=True)
    return found


def _download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "download", "busybox-static"]
    with installing():
        if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0:
            return
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(command, cwd=folder, check=True)


def push_base(client: docker.DockerClient, repository: str, program: Path) -> str:
    """Make the base image, push it to `repository` (with host) and return its digest."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("tmp", "bin"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        member = tar.gettarinfo(program, "bin/busybox")
        member.mode = 0o755
        with program.open("rb") as content:
            tar.addfile(member, content)
        for applet in ("sh", "cat", "httpd", "echo", "sleep", "ls", "mkdir", "touch", "tee"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    changes = ['CMD ["/bin/sh"]', "ENV PATH=/bin", 'LABEL who="base"', 'HEALTHCHECK CMD ["/bin/echo", "well"]']
    client.api.import_image_from_data(archive.getvalue(), repository=repository, tag="base", changes=changes)
    return push(client, repository, "base")


def push(client: docker.DockerClient, repository: str, tag: str) -> str:
    """Push an image and return its digest."""
    for item in client.api.push(repository, tag, stream=True, decode=True):
        if "error" in item:
            pytest.fail(item["error"])
        if digest := item.get("aux", {}).get("Digest"):
            return str(digest)
    pytest.fail(f"the engine did not tell the digest of {repository}:{tag}")
