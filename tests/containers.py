"""Containers that are started for what they print."""

from collections.abc import Sequence
from typing import Any

import docker
from docker.errors import ContainerError


def printed(client: docker.DockerClient, image: Any, command: Sequence[str], **options: Any) -> str:
    """What a command prints in a container of its own. Raises ContainerError when it fails.

    docker-py's own `run` reads the output after it has removed the container, and then may find only a part of it.
    """
    container = client.containers.run(image, list(command), detach=True, **options)
    try:
        code = container.wait()["StatusCode"]
        if code:
            raise ContainerError(container, code, list(command), image, container.logs(stdout=False))
        return str(container.logs(stderr=False).decode().strip())
    finally:
        container.remove(force=True, v=True)
