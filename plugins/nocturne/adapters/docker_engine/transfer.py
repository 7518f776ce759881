"""Pulling and pushing images through the engine."""

from collections.abc import Mapping
from typing import Any

import docker

from nocturne.adapters.docker_engine.failures import engine_failures
from nocturne.adapters.docker_engine.progress import transfer_line
from nocturne.domain.errors import Broken
from nocturne.ports.image_builder import Log

Logins = Mapping[str, Mapping[str, str]]
"""Registry's host to `username` and `password`."""


class Transfers:
    """What the engine moves between itself and registries. Every failure is Broken: it says nothing about the image."""

    def __init__(self, client: docker.DockerClient, logins: Logins) -> None:
        self._client = client
        self._logins = logins

    def pull(self, image: str, log: Log) -> None:
        """Pull an image by digest (`host/repository@sha256:...`), or by its tag."""
        repository, _, digest = image.partition("@")
        with engine_failures(f"pull {image}"):
            for item in self._client.api.pull(
                repository, tag=digest, stream=True, decode=True, auth_config=self._login(repository)
            ):
                _follow(item, f"{image} cannot be pulled", log)

    def push(self, target: str, log: Log) -> str:
        """Push `host/repository:tag` and return its digest."""
        repository, _, tag = target.rpartition(":")
        digest = None
        with engine_failures(f"push {target}"):
            for item in self._client.api.push(repository, tag=tag, stream=True, decode=True, auth_config=self._login(repository)):
                _follow(item, f"{target} cannot be pushed", log)
                digest = (item.get("aux") or {}).get("Digest") or digest
        if digest is None:
            raise Broken(f"{target} was pushed, but Docker Engine did not tell its digest")
        return str(digest)

    def _login(self, repository: str) -> dict[str, str] | None:
        # None leaves it to the logins of the client itself, if it has any.
        login = self._logins.get(repository.partition("/")[0])
        return dict(login) if login else None


def _follow(item: Mapping[str, Any], failure: str, log: Log) -> None:
    # The stream ends without an exception when a transfer fails.
    if "error" in item:
        raise Broken(f"{failure}: {item['error']}", advice="check that the registry runs, and its connection")
    if line := transfer_line(item):
        log(line)
