"""Building container images from Debian's packages, where no image registry can be reached."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import docker

from nocturne.domain.errors import Broken
from nocturne.sandbox import apt_sources
from nocturne.sandbox.programs import Programs

SUITE = "bookworm"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Documentation and translations are a quarter of a small system, and nobody reads them in a container.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")


@dataclass(frozen=True)
class DebianImage:
    """What an image is made of. variant: mmdebstrap's; `extract` only unpacks, for a single program without a system around it.

    finish: shell commands run on the new root folder `$1`, which mmdebstrap does not do for `extract`.
    labels: go into the image, so that it is found again.
    """

    packages: Sequence[str]
    variant: str = "minbase"
    finish: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def build(image: DebianImage, name: str, work: Path, mirror: str, programs: Programs, client: docker.DockerClient) -> None:
    """Build the image and give it to the engine under `name` (`repository:tag`). Raises Broken.

    work: folder for the unpacked system's archive, removed afterwards. mirror: URL of a Debian archive, empty for this machine's.
    """
    archive = work / f"{name.replace('/', '-').replace(':', '-')}.tar"
    work.mkdir(parents=True, exist_ok=True)
    try:
        programs.run(
            archive.stem, _command(image, archive, mirror), "see that the Debian mirror can be reached (NOCTURNE_DEBIAN_MIRROR)"
        )
        _import(image, archive, name, client)
    finally:
        archive.unlink(missing_ok=True)


def _command(image: DebianImage, archive: Path, mirror: str) -> list[str]:
    return [
        "mmdebstrap",
        f"--variant={image.variant}",
        f"--include={','.join(image.packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        *(f"--customize-hook={command}" for command in image.finish),
        SUITE,
        str(archive),
        *_sources(mirror),
    ]


def _sources(mirror: str) -> list[str]:
    if mirror:
        return [f"deb {mirror} {SUITE} main"]
    lines = apt_sources.debian_archives(apt_sources.configured(), SUITE)
    if not lines:
        raise Broken(
            "no image registry can be reached, and this machine's apt has no Debian mirror to build an image from",
            advice="set NOCTURNE_DEBIAN_MIRROR to the URL of a Debian archive, or give the engine access to an image registry",
        )
    return lines


def _import(image: DebianImage, archive: Path, name: str, client: docker.DockerClient) -> None:
    repository, _, tag = name.rpartition(":")
    labels = [f"LABEL {key}={json.dumps(value)}" for key, value in image.labels.items()]
    changes = [f"ENV PATH={_PATH}", "ENV LANG=C.UTF-8", *labels]
    answer = client.api.import_image_from_file(str(archive), repository=repository, tag=tag, changes=changes)
    for line in answer.splitlines():
        error = json.loads(line).get("error")
        if error:
            raise Broken(f"the engine refused the image {name}: {error}", advice="look at the engine's log and its free disk space")
