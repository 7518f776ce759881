"""What both sides work on: a registry, a model store, the app's repository and a base image, all of the benchmark's own."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

from nocturne.domain.errors import Broken
from nocturne.sandbox.blob import Blob
from nocturne.sandbox.images import BASE, BASE_REPOSITORY, BASE_TAG, Images
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.progress import Report
from nocturne.sandbox.registry import Registry
from nocturne.sandbox.settings import Settings

CLONE = Path(__file__).resolve().parents[1]
_LABEL = "io.nocturne.benchmark"


@dataclass(frozen=True)
class Workplace:
    """home: everything that is written. repository: the app's, where its developers push. base: the base image in the registry."""

    settings: Settings
    home: Path
    repository: Path
    base: str

    @property
    def app(self) -> Path:
        """The app's folder as its developers have it."""
        return self.repository / "app"

    @property
    def pushed(self) -> Path:
        """Where the registry keeps what was pushed."""
        return self.settings.home / "registry" / "data" / "docker" / "registry" / "v2" / "blobs"

    @property
    def fetched(self) -> Path:
        """Where Nocturne keeps the files that it fetched."""
        return self.home / "cache" / "files"

    def image(self, name: str) -> str:
        """An image's name in the registry."""
        return f"{self.settings.registry_host}/{name}"

    def commit(self, text: str) -> None:
        """Push a change of the app's code."""
        (self.app / "benchmark.py").write_text(f'"""{text}."""\n')
        run("git", "-C", str(self.repository), "add", "--all")
        run("git", "-C", str(self.repository), "commit", "--quiet", "--message", text)


@contextmanager
def workplace(home: Path, report: Report) -> Iterator[Workplace]:
    """A workplace below `home`, with its servers running; nothing is left of them in the engine afterwards. Raises Broken."""
    _require_engine()
    repository = _repository(home / "repository")
    settings = _settings(home, repository)
    programs = Programs(settings.logs)
    with ExitStack() as cleanup:
        for part in (Registry(settings, programs), Blob(settings, programs)):
            cleanup.callback(part.stop)
            part.start(report)
        cleanup.callback(_clean_engine, settings, home.name)
        base = _push_base(settings, programs, home.name, report)
        yield Workplace(settings, home, repository, base)


def run(*command: str, content: str = "") -> str:
    """The output of a program. Raises Broken with its last lines when it fails."""
    try:
        done = subprocess.run(command, input=content, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Broken(f"found no program `{command[0]}`", advice="install it and run the same command again") from error
    if done.returncode != 0:
        lines = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise Broken(f"`{' '.join(command[:3])}` failed with exit code {done.returncode}:\n{lines}")
    return done.stdout.strip()


def _require_engine() -> None:
    advice = "start Docker, or run `make up`, which does; DOCKER_HOST names another engine"
    if shutil.which("docker") is None:
        raise Broken("found no program `docker`, expected Docker's command line", advice=advice)
    try:
        run("docker", "version")
    except Broken as error:
        raise Broken(f"found no running Docker Engine, expected one: {error.message}", advice=advice) from error


def _settings(home: Path, repository: Path) -> Settings:
    kept = {name: os.environ[name] for name in ("DOCKER_HOST", "NOCTURNE_DEBIAN_MIRROR") if name in os.environ}
    registry, blob = _free_ports(2)
    own = {
        "NOCTURNE_HOME": str(home / "sandbox"),
        "NOCTURNE_NAME": "nocturne-benchmark",
        "NOCTURNE_CODE": str(repository),
        "NOCTURNE_REGISTRY_PORT": str(registry),
        "NOCTURNE_BLOB_PORT": str(blob),
    }
    return Settings.from_environment(kept | own)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _repository(folder: Path) -> Path:
    """A repository that holds this clone's app as it is in the work tree."""
    listed = run("git", "-C", str(CLONE), "ls-files", "--cached", "--others", "--exclude-standard", "app")
    for name in listed.splitlines():
        if (CLONE / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CLONE / name, folder / name)
    steps: Sequence[tuple[str, ...]] = (
        ("init", "--quiet", "--initial-branch", "main"),
        ("config", "user.name", "An app developer"),
        ("config", "user.email", "developer@example.org"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "The app"),
    )
    for words in steps:
        run("git", "-C", str(folder), *words)
    return folder


def _push_base(settings: Settings, programs: Programs, mark: str, report: Report) -> str:
    """The sandbox' base image with a mark, so that everything built from it is found again, and is in no cache before."""
    client = docker.DockerClient(base_url=settings.engine_url, timeout=300)
    images = Images(settings, client, programs)
    report.ready("base image", images.ensure(BASE, lambda text: report.working("base image", text)))
    base = f"{settings.registry_host}/{BASE_REPOSITORY}:{BASE_TAG}"
    lines = f'FROM {images.local_name(BASE)}\nLABEL {_LABEL}="{mark}" nocturne.sandbox.image=""\n'
    run("docker", "build", "--quiet", "--tag", base, "-", content=lines)
    images.remove([images.local_name(BASE)])
    run("docker", "push", "--quiet", base)
    return base


def _clean_engine(settings: Settings, mark: str) -> None:
    client = docker.DockerClient(base_url=settings.engine_url, timeout=300)
    Images(settings, client, Programs(settings.logs)).remove(
        sorted({tag for image in client.images.list(filters={"label": f"{_LABEL}={mark}"}) for tag in image.tags})
    )
    while client.images.prune(filters={"label": f"{_LABEL}={mark}"})["ImagesDeleted"]:
        pass
