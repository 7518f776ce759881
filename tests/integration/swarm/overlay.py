"""A swarm for tests: made by whoever needs it first, and never left, for others may use it by the time that one of them ends."""

import fcntl
import tempfile
import time
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound

_SECONDS = 60


def make_overlay(client: docker.DockerClient, name: str) -> Any:
    """An attachable overlay network; the engine becomes a swarm's manager for it, unless it is one.

    A sandbox leaves a swarm that it has made when it finds no network in it, so this may be right before or after that.
    """
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            ensure_swarm(client)
            return client.networks.create(name, driver="overlay", attachable=True)
        except APIError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def remove_overlay(client: docker.DockerClient, name: str) -> None:
    """Remove a network as soon as the last task has left it."""
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            client.networks.get(name).remove()
        except NotFound:
            return
        except APIError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def ensure_swarm(client: docker.DockerClient) -> None:
    """Make the engine a swarm's manager, unless it is one."""
    with (Path(tempfile.gettempdir()) / "nocturne-test-swarm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if client.info()["Swarm"]["LocalNodeState"] == "inactive":
            client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1")
