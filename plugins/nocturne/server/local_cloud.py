"""What a first night needs of the local cloud: a swarm with its network, a place for models, the base image, and a model."""

import json
from collections.abc import Callable, Iterator

import docker
from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from nocturne.adapters.object_store import ensure_container
from nocturne.composition import ConnectedWorld
from nocturne.composition.engines import docker_client
from nocturne.composition.stores import store_settings
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.ports.connections import Connection, Connections
from nocturne.steps.demo_model import publish_demo_model

_SWARM = "swarm"


def fill(world: ConnectedWorld, connections: Connections, base_image: str) -> Iterator[str]:
    """Make what is not there, and yield a line about each thing as it is found or done. Safe to repeat.

    base_image: becomes `image.base` where the registry has none: an image of the engine, or one that it can pull.
    Raises ConfigurationError, and Broken for what has to be made by hand or cannot be reached.
    """
    yield f"swarm: {_swarm(world, connections)}"
    yield f"blob storage: {_models(world, connections)}"
    yield f"registry: {_base(world, base_image)}"
    yield f"model: {_model(world)}"


def _swarm(world: ConnectedWorld, connections: Connections) -> str:
    name = world.configuration.night.environment
    environment = world.configuration.environment(name)
    if environment.target != _SWARM:
        fault = f"found the environment {name}, which is on {environment.target}, expected one on {_SWARM}, as the local cloud is"
        raise ConfigurationError("NOCTURNE_ENVIRONMENT", [fault])
    connection = connections(environment.connection)
    runs = world.cluster(name).running()  # which only a manager can tell
    network = _network(connection)
    return f"the engine at {connection.host} is a manager, its network {network} is there, and it runs {runs or 'no release yet'}"


def _network(connection: Connection) -> str:
    name = connection.required("network")
    advice = f"make it: docker network create --driver overlay --attachable {name}"
    try:
        found = _asked(docker_client(connection), lambda client: client.networks.get(name).attrs)
    except NotFound as error:
        raise Broken(f"found no Docker network {name}, expected an attachable overlay network", advice=advice) from error
    if found["Driver"] != "overlay" or not found["Attachable"]:
        kind = f"{'an attachable' if found['Attachable'] else 'a'} {found['Driver']} network"
        raise Broken(f"found {kind} called {name}, expected an attachable overlay network", advice=f"remove it, then {advice}")
    return name


def _asked(client: docker.DockerClient, ask: Callable[[docker.DockerClient], dict[str, object]]) -> dict[str, object]:
    try:
        return ask(client)
    except NotFound:
        raise
    except (DockerException, RequestException) as error:
        raise Broken(f"Docker Engine does not tell of its networks: {error}", advice="look at the log of `engine`") from error
    finally:
        client.close()


def _models(world: ConnectedWorld, connections: Connections) -> str:
    settings = store_settings(connections(world.configuration.model.connection))
    return f"{'made' if ensure_container(settings) else 'has'} the container {settings.container}"


def _base(world: ConnectedWorld, base_image: str) -> str:
    base = world.configuration.image.base
    if found := world.registry.digest(base):
        return f"has {base}, {found}"
    return f"pushed {base_image} as {world.copy_image(base_image, base)}"


def _model(world: ConnectedWorld) -> str:
    manifest = publish_demo_model(world)
    if manifest is None:
        return f"{world.models.versions(1)[0].version} is there"
    return f"trained and published {manifest.name} {manifest.version} {json.dumps(manifest.card.get('metrics', {}))}"
