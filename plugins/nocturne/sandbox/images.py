"""The two images that the sandbox needs from outside: what the app's image starts from, and the front door's HAProxy.

Each is looked for in the nearest place first: it never changes once it is there, because the base image is part of a
release's identity.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

from nocturne.domain.errors import Broken
from nocturne.sandbox.debian_image import DebianImage, build
from nocturne.sandbox.loopback import loopback_client
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.settings import Settings

BASE_REPOSITORY, BASE_TAG = "base/python", "3.11"
_LABEL = "nocturne.sandbox.image"
# An unreachable registry often means dropped packets, which the engine would wait for far longer.
_PULL_SECONDS = 15
_MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class ImageSource:
    """Where an image comes from. upstream: reference to pull. debian: what to build instead."""

    name: str
    upstream: str
    debian: DebianImage


BASE = ImageSource(
    "python-3.11",
    "python:3.11-slim-bookworm",
    DebianImage(
        packages=("python3", "python3-venv", "ca-certificates"),
        finish=('ln -s /usr/bin/python3 "$1/usr/local/bin/python"',),
        labels={_LABEL: "python-3.11"},
    ),
)
FRONT_DOOR = ImageSource(
    "haproxy",
    "haproxy:2.8",
    DebianImage(packages=("haproxy",), variant="extract", labels={_LABEL: "haproxy"}),
)


class Images:
    """Gets the sandbox' images into its engine and its registry."""

    def __init__(self, settings: Settings, client: docker.DockerClient, programs: Programs) -> None:
        self._settings = settings
        self._client = client
        self._programs = programs

    def in_registry(self) -> bool:
        """Whether the base image is in the sandbox' registry already."""
        with loopback_client(f"http://127.0.0.1:{self._settings.registry_port}") as client:
            return client.head(f"/v2/{BASE_REPOSITORY}/manifests/{BASE_TAG}", headers={"Accept": _MANIFESTS}).is_success

    def push_base(self) -> None:
        """Push the base image to the sandbox' registry. Raises Broken."""
        image = self._client.images.get(self.local_name(BASE))
        repository = f"{self._settings.registry_host}/{BASE_REPOSITORY}"
        image.tag(repository, BASE_TAG)
        for item in self._client.images.push(repository, BASE_TAG, stream=True, decode=True):
            if "error" in item:
                raise Broken(f"pushing the base image to {repository} failed: {item['error']}", advice="look at the registry's log")

    def local_name(self, source: ImageSource) -> str:
        """The image's name in the engine; each sandbox has its own, so that one's `clean` takes nothing from another."""
        return f"{self._settings.name}-sandbox/{source.name}:latest"

    def ensure(self, source: ImageSource, working: Callable[[str], None]) -> str:
        """Have the image in the engine under its local name, and say where it came from. Raises Broken.

        working: told what is being done, where it takes a while.
        """
        name = self.local_name(source)
        if self._has(name):
            return "was there"
        found = self._of_another_sandbox(source)
        if found is None:
            working(f"pulling {source.upstream}")
            found = self._pull(source.upstream)
        if found is None:
            working("cannot be pulled, so building it from Debian packages")
            work = self._settings.home / "images"
            build(source.debian, name, work, self._settings.debian_mirror, self._programs, self._client)
            return "built from Debian packages"
        found.tag(*name.rsplit(":", 1))
        return f"taken from {', '.join(tag for tag in found.tags if tag != name) or 'the engine'}"

    def pushed_names(self) -> list[str]:
        """All names in the engine that point to the sandbox' registry."""
        prefix = f"{self._settings.registry_host}/"
        every = self._client.api.images()
        names = {name for image in every for kind in ("RepoTags", "RepoDigests") for name in image[kind] or ()}
        return sorted(name for name in names if name.startswith(prefix))

    def remove(self, names: Sequence[str]) -> None:
        """Take names away; the engine deletes an image with its last name."""
        for name in names:
            with contextlib.suppress(ImageNotFound):
                # By force, because the engine may still be at removing a container that it lists no more.
                self._client.images.remove(name, force=True)

    def _has(self, name: str) -> bool:
        try:
            self._client.images.get(name)
        except ImageNotFound:
            return False
        return True

    def _of_another_sandbox(self, source: ImageSource) -> Any:
        for found in self._client.api.images(filters={"label": f"{_LABEL}={source.name}"}):
            image = self._client.images.get(found["Id"])
            if _is_original(image):
                return image
        return None

    def _pull(self, upstream: str) -> Any:
        if self._has(upstream):
            return self._client.images.get(upstream)
        impatient = docker.DockerClient(base_url=self._settings.engine_url, timeout=_PULL_SECONDS)
        try:
            return impatient.images.pull(upstream)
        except (DockerException, RequestException):
            # Out of reach is what the Debian build is for; if that fails too, its error says so.
            return None
        finally:
            impatient.close()


def _is_original(image: Any) -> bool:
    # Images built on top inherit the label, but have more than the one layer that was imported.
    return len(image.attrs["RootFS"]["Layers"]) == 1
