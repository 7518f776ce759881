"""The server's image as tests build it: on a base made of Debian's packages, with wheels fetched beforehand and no network.

Everything is kept below `.nocturne-test/`, so that a second run fetches nothing and builds only what changed.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker
from docker.errors import ImageNotFound
from packaging.markers import Marker

from nocturne.adapters.wheels import fetch_wheels, platform_tags
from nocturne.sandbox.debian_image import DebianImage, build
from nocturne.sandbox.programs import Programs
from tests.containers import printed

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".nocturne-test" / "server-image"
BASE = "nocturne-test/server-base:bookworm"
_BASE = DebianImage(("python3", "python3-venv", "ca-certificates", "git"))
_WANTED = ("Dockerfile", ".dockerignore", "requirements.txt", "plugins", "dags", "app/release.toml")
_INPUTS = "nocturne.test.inputs"
# Debian 12's.
_GLIBC = "2.36"


def ensure_base(client: docker.DockerClient) -> str:
    """A plain Debian with Python, as a machine has it that can pull no image; half a minute, once a machine."""
    with _alone("base"):
        try:
            client.images.get(BASE)
        except ImageNotFound:
            mirror = os.environ.get("NOCTURNE_DEBIAN_MIRROR", "")
            build(_BASE, BASE, FOLDER / "base", mirror, Programs(FOLDER / "logs"), client)
    return BASE


def build_server_image(client: docker.DockerClient, base: str, tag: str) -> None:
    """Build the clone's files as they are now, committed or not, on the image `base`; nothing is done when `tag` is just that."""
    with context(client, base) as folder:
        build_once(client, folder, base, tag)


def build_once(client: docker.DockerClient, folder: Path, base: str, tag: str) -> None:
    """Build a folder from `context`, unless `tag` is the image of just these files."""
    inputs = _inputs(folder, client.images.get(base).id)
    with _alone("build"):
        if inputs not in _built(client, tag):
            build_context(client, folder, base, tag, {_INPUTS: inputs})


def _built(client: docker.DockerClient, tag: str) -> list[str]:
    try:
        return list(client.images.get(tag).labels.values())
    except ImageNotFound:
        return []


def build_context(client: docker.DockerClient, folder: Path, base: str, tag: str, labels: Mapping[str, str] | None = None) -> None:
    """Build a folder as it is, without a network."""
    arguments = {"BASE_IMAGE": base}
    client.images.build(
        path=str(folder), tag=tag, buildargs=arguments, network_mode="none", rm=True, forcerm=True, labels=dict(labels or {})
    )


@contextlib.contextmanager
def copy_of(folder: Path) -> Iterator[Path]:
    """Another folder with the same files, for a test to change, until the block ends."""
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="context-") as temporary:
        shutil.copytree(folder, temporary, dirs_exist_ok=True, copy_function=_copy)
        yield Path(temporary)


def _copy(source: str, target: str) -> None:
    # Nobody changes a wheel, and they are hundreds of megabytes.
    (os.link if source.endswith(".whl") else shutil.copy2)(source, target)


@contextlib.contextmanager
def context(client: docker.DockerClient, base: str) -> Iterator[Path]:
    """A folder with the clone's files and the wheels for the Python of the image `base`, until the block ends."""
    asked = ["python3", "-c", "import platform; print(platform.python_version())"]
    python = printed(client, base, asked, entrypoint="", network_mode="none")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_WANTED]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="context-") as temporary:
        folder = Path(temporary)
        for name in filter(None, names):
            # A file that is deleted and not yet committed is still listed.
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        _fetch_wheels(python, folder / "wheels")
        yield folder


def _fetch_wheels(python: str, folder: Path) -> None:
    """Put every distribution of requirements.txt into `folder`. python: the base image's version in full, like 3.11.2.

    Markers are judged by it beforehand: pip judges them by the Python that runs pip, which may be another patch version.
    """
    requirements = FOLDER / f"requirements-{os.getpid()}.txt"
    requirements.write_text(_judged((ROOT / "requirements.txt").read_text(), python))
    minor = python.rpartition(".")[0]
    try:
        fetch_wheels(requirements, folder, minor, platform_tags("linux/amd64", _GLIBC), print, cache=FOLDER / "wheels")
    finally:
        requirements.unlink()


def _judged(requirements: str, python: str) -> str:
    """The file without what is not for this Python, and without markers."""
    environment = {"python_version": python.rpartition(".")[0], "python_full_version": python}
    wanted = []
    for pinned in re.findall(r"^[a-z0-9].*\n(?: .*\n)*", requirements, flags=re.MULTILINE):
        first, hashes = pinned.split("\n", 1)
        version, _, marker = first.removesuffix(" \\").partition(" ; ")
        if not marker or Marker(marker).evaluate(environment):
            wanted.append(f"{version} \\\n{hashes}")
    return "".join(wanted)


def _inputs(folder: Path, base: str) -> str:
    """A digest of all that the image is made of; the wheels are named by the requirements' hashes."""
    digest = hashlib.sha256(base.encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".whl"):
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_mode & 0o111}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
