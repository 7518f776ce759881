"""Where the sandbox' images come from, in the real engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox.debian_image import DebianImage, build
from nocturne.sandbox.images import Images, ImageSource
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.settings import Settings
from tests.containers import printed

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=300)
    yield client
    client.close()


def source_of(settings: Settings) -> ImageSource:
    """The smallest image that is still built from packages, with a label that no other test has."""
    debian = DebianImage(
        packages=("dash",),
        variant="extract",
        labels={"nocturne.sandbox.image": settings.name},
    )
    return ImageSource(settings.name, f"localhost:{settings.registry_port}/nowhere:1", debian)


def test_an_image_is_built_once_and_shared(client: docker.DockerClient, settings: Settings, tmp_path: Path) -> None:
    """What cannot be pulled is built; the next `ensure` and the next sandbox find it; one's `clean` leaves it to the other."""
    told: list[str] = []
    first = Images(settings, client, Programs(settings.logs))
    second = Images(replace(settings, name=f"{settings.name}-b"), client, Programs(settings.logs))
    source = source_of(settings)
    assert first.ensure(source, told.append) == "built from Debian packages"
    assert "building it from Debian packages" in told[-1]
    try:
        image = client.images.get(first.local_name(source))
        assert printed(client, image, ["/bin/dash", "-c", "echo works"], network_mode="none") == "works"
        assert first.ensure(source, told.append) == "was there"
        assert second.ensure(source, told.append).startswith("taken from")
        first.remove([first.local_name(source)])
        assert client.images.get(second.local_name(source)).id == image.id
    finally:
        first.remove([first.local_name(source), second.local_name(source)])
    assert len(told) == 2
    assert not list((settings.home / "images").iterdir())


def test_a_failed_build_leaves_no_archive(client: docker.DockerClient, tmp_path: Path) -> None:
    """A package that does not exist is Broken with mmdebstrap's own words, and the disk is as before."""
    image = DebianImage(packages=("no-such-package",), variant="extract")
    with pytest.raises(Broken, match="no-such-package"):
        build(image, "nocturne-test/none:1", tmp_path / "work", "", Programs(tmp_path / "logs"), client)
    assert not list((tmp_path / "work").iterdir())
