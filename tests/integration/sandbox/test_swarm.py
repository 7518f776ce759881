"""The app's service over `down` and `up`, in the real engine."""

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import NotFound
from docker.types import EndpointSpec, Resources, ServiceMode

from nocturne.domain.errors import Conflict
from nocturne.sandbox.settings import Settings
from nocturne.sandbox.supervised import has_running
from nocturne.sandbox.swarm import SandboxSwarm
from tests.integration.oci_registry.base_image import busybox

pytestmark = pytest.mark.docker


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def swarm(client: docker.DockerClient, settings: Settings) -> Iterator[SandboxSwarm]:
    settings.home.mkdir()
    found = swarm_of(client, settings, settings.home)
    found.ensure()
    yield found
    found.remove()


@pytest.fixture
def service(client: docker.DockerClient, swarm: SandboxSwarm, settings: Settings, tmp_path: Path) -> Iterator[Any]:
    """Two tasks that do nothing, as a release would have left them."""
    image = import_busybox(client, busybox(tmp_path / "busybox"), f"{settings.name}/busybox:test")
    yield client.services.create(
        image,
        ["/busybox", "sleep", "600"],
        name=settings.service,
        networks=[settings.network],
        mode=ServiceMode("replicated", replicas=2),
        endpoint_spec=EndpointSpec(mode="dnsrr"),
        labels={"release": "r-1"},
        container_labels={"release": "r-1"},
        resources=Resources(mem_limit=50_000_000),
        stop_grace_period=1_000_000_000,
    )
    swarm.remove()
    # The engine may still be at removing a container that it lists no more.
    client.images.remove(image, force=True)


def swarm_of(client: docker.DockerClient, settings: Settings, home: Path) -> SandboxSwarm:
    return SandboxSwarm(client, home, settings.network, settings.service)


def import_busybox(client: docker.DockerClient, program: Path, name: str) -> str:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(program, "busybox")
    repository, _, tag = name.rpartition(":")
    client.api.import_image_from_data(archive.getvalue(), repository=repository, tag=tag)
    return name


def specification(client: docker.DockerClient, settings: Settings) -> Any:
    return client.services.get(settings.service).attrs["Spec"]


def test_the_service_comes_back_as_it_was(
    client: docker.DockerClient, swarm: SandboxSwarm, service: Any, settings: Settings
) -> None:
    """`scale_down` ends every container, and `restore` brings back the same number with nothing else of the service changed."""
    assert swarm.restore() == 2
    before = specification(client, settings)
    assert swarm.scale_down()
    assert swarm.running() == (0, 0)
    assert not client.api.containers(filters={"label": f"com.docker.swarm.service.name={settings.service}"})
    assert not swarm.scale_down()
    assert not has_running(settings.home), "what is remembered of the service is no process"
    assert swarm.restore() == 2
    assert swarm.running() == (2, 2)
    assert specification(client, settings) == before


def test_without_a_release_there_is_nothing_to_bring_back(swarm: SandboxSwarm) -> None:
    """Before the first release there is no service, and that is no error."""
    assert swarm.restore() is None
    assert not swarm.scale_down()


def test_another_sandbox_of_the_same_name_keeps_its_things(
    client: docker.DockerClient, swarm: SandboxSwarm, service: Any, settings: Settings, tmp_path: Path
) -> None:
    """A sandbox in another home is told to take another name, and its `down` and `clean` leave the first one alone."""
    other = swarm_of(client, settings, tmp_path / "other")
    with pytest.raises(Conflict, match="belongs to"):
        other.ensure()
    assert not other.scale_down()
    other.remove()
    assert client.services.get(settings.service)
    assert client.networks.list(names=[settings.network])


def test_what_a_deleted_sandbox_left_is_removed(
    client: docker.DockerClient, swarm: SandboxSwarm, service: Any, settings: Settings, tmp_path: Path
) -> None:
    """Where the home that service and network belong to is gone, another sandbox takes the name over, and says from whom."""
    assert swarm.restore() == 2
    door = f"{settings.name}-front-door"
    client.containers.run(
        service.attrs["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"],
        "/busybox sleep 600",
        name=door,
        network=settings.network,
        detach=True,
    )
    shutil.rmtree(settings.home)
    heir = SandboxSwarm(client, tmp_path, settings.network, settings.service, door)
    assert heir.ensure() == str(settings.home)
    assert heir.ensure() == ""
    assert heir.running() is None
    with pytest.raises(NotFound):
        client.services.get(settings.service)
    with pytest.raises(NotFound):
        client.containers.get(door)
    heir.remove()
    assert not client.networks.list(names=[settings.network])


def test_a_deleted_sandbox_is_in_nobodys_way(
    client: docker.DockerClient, swarm: SandboxSwarm, service: Any, settings: Settings, tmp_path: Path
) -> None:
    """`clean` of another sandbox of that name removes what the deleted one left, but not where the engine is another machine's."""
    assert swarm.restore() == 2
    shutil.rmtree(settings.home)
    afar = SandboxSwarm(client, tmp_path, settings.network, settings.service, local=False)
    with pytest.raises(Conflict):
        afar.ensure()
    afar.remove()
    assert client.services.get(settings.service)
    SandboxSwarm(client, tmp_path, settings.network, settings.service).remove()
    with pytest.raises(NotFound):
        client.services.get(settings.service)
    assert not client.networks.list(names=[settings.network])


def test_removing_leaves_nothing(client: docker.DockerClient, swarm: SandboxSwarm, service: Any, settings: Settings) -> None:
    """Service, containers and network are gone, and removing them again does no harm."""
    swarm.remove()
    with pytest.raises(NotFound):
        client.services.get(settings.service)
    assert not client.networks.list(names=[settings.network])
    swarm.remove()


def test_what_a_killed_engine_left_is_removed(
    client: docker.DockerClient, swarm: SandboxSwarm, service: Any, settings: Settings
) -> None:
    """Ended containers that Swarm knows nothing of any more, since the engine was killed under them, go with the service."""
    image = service.attrs["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    labels = {"com.docker.swarm.service.name": settings.service}
    forgotten = client.containers.run(image, "/busybox true", labels=labels, detach=True)
    forgotten.wait()
    swarm.remove()
    with pytest.raises(NotFound):
        client.containers.get(forgotten.id)
