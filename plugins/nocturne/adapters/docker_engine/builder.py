"""Building a code image without a network."""

import tempfile
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound

from nocturne.adapters.docker_engine.context import write_context
from nocturne.adapters.docker_engine.failures import ENGINE_ERRORS, build_failure, build_refused, engine_failures, unreachable
from nocturne.adapters.docker_engine.progress import build_lines
from nocturne.adapters.docker_engine.transfer import Transfers
from nocturne.domain.errors import Rejected
from nocturne.ports.image_builder import CodeImageRequest, Log

_TAIL = 20


class Builder:
    """Builds what a request says and pushes it. Builds do not disturb each other: they share nothing but the engine's cache."""

    def __init__(self, client: docker.DockerClient, transfers: Transfers) -> None:
        self._client = client
        self._transfers = transfers

    def build(self, request: CodeImageRequest, log: Log) -> str:
        """The pushed image by digest (`host/repository@sha256:...`)."""
        repository, tag = _parts(request.target)
        self._ensure(request.base_image, log)
        return self._push(self._run(request, log), repository, tag, log)

    def copy(self, source: str, target: str, log: Log) -> str:
        """The same for an image that needs no building: the engine's own, or one that it can pull."""
        repository, tag = _parts(target)
        self._ensure(source, log)
        return self._push(source, repository, tag, log)

    def _push(self, image: str, repository: str, tag: str, log: Log) -> str:
        target = f"{repository}:{tag}"
        with engine_failures(f"tag the image as {target}"):
            self._client.api.tag(image, repository, tag)
        return f"{repository}@{self._transfers.push(target, log)}"

    def _ensure(self, image: str, log: Log) -> None:
        with engine_failures(f"look for {image}"):
            try:
                self._client.images.get(image)
            except ImageNotFound:
                log(f"pulling {image}")
            else:
                return
        self._transfers.pull(image, log)

    def _run(self, request: CodeImageRequest, log: Log) -> str:
        with tempfile.TemporaryFile() as context:
            write_context(request.context, context)
            context.seek(0)
            try:
                items = self._client.api.build(
                    fileobj=context,
                    custom_context=True,
                    buildargs={"BASE_IMAGE": request.base_image},
                    labels=dict(request.labels),
                    network_mode="none",
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
                return _image_of(items, log)
            except APIError as error:
                raise build_refused(error) from error
            except ENGINE_ERRORS as error:
                raise unreachable("build the image", error) from error


def _parts(target: str) -> tuple[str, str]:
    repository, colon, tag = target.rpartition(":")
    if not colon or "/" in tag:
        raise Rejected(f"{target!r} cannot be pushed to: expected host/repository:tag")
    return repository, tag


def _image_of(items: Iterable[Mapping[str, Any]], log: Log) -> str:
    """The id of the image that a build's stream ends with."""
    image, tail = None, deque[str](maxlen=_TAIL)
    for line in build_lines(items):
        if isinstance(line, str):
            tail.append(line)
            log(line)
        elif "error" in line:
            raise build_failure(line, tail)
        else:
            image = line["aux"].get("ID") or image
    if image is None:
        # A Dockerfile with nothing but comments, which the engine takes.
        raise Rejected("the build made no image, expected one", advice="correct the app's Dockerfile")
    return str(image)
