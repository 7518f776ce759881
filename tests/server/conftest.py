import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from nocturne.sandbox import debian
from nocturne.sandbox.programs import Programs
from tests.conftest import FOLDER, installing
from tests.e2e.app_repository import new_app_repository
from tests.integration.server_image.server_image import build_server_image, ensure_base
from tests.integration.swarm.overlay import ensure_swarm
from tests.server.stack import NAME, Stack
from tests.server.standin_images import ensure_standins

COMPOSE = debian.Program("docker-compose", "docker-compose", "the stack of one server")
IMAGE = "nocturne-test/server:bookworm"


@pytest.fixture(scope="module")
def stack(prepared: None) -> Iterator[Stack]:
    """The stack with the local cloud, all in it well; gone at the end, with its data."""
    home = FOLDER / "server"
    with (Path(tempfile.gettempdir()) / f"{NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with installing():
            if lacking := debian.missing([COMPOSE]):
                debian.install(lacking, Programs(FOLDER / "logs"))
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        client = docker.from_env(timeout=600)
        base = ensure_base(client)
        images = {**ensure_standins(client, home), "python": base}
        build_server_image(client, base, IMAGE)
        ensure_swarm(client)
        client.close()
        made = Stack(new_app_repository(home / "repository"), images, IMAGE, 17080)
        made.down()
        made.up()
        try:
            yield made
        finally:
            made.down()


@pytest.fixture(scope="module")
def celery(stack: Stack) -> Stack:
    """The same stack, moved over to three workers."""
    moved = replace(stack, settings={"COMPOSE_PROFILES": "local-cloud,celery", "EXECUTOR": "CeleryExecutor", "WORKERS": "3"})
    moved.up()
    return moved
