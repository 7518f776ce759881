"""Code images, built and pushed for real."""

import secrets
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from nocturne.adapters.docker_engine import DockerEngine
from nocturne.adapters.oci_registry import OciRegistry
from nocturne.domain.errors import Broken, Rejected
from nocturne.ports.image_builder import CodeImageRequest
from tests.integration.docker_engine.conftest import eventually
from tests.integration.oci_registry.local_registry import (
    PASSWORD,
    USER,
    LocalRegistry,
    free_port,
    htpasswd_auth,
    local_registry,
)

pytestmark = pytest.mark.docker
RequestFor = Callable[..., CodeImageRequest]


def test_the_pushed_image_is_known_by_its_digest(
    engine: DockerEngine, server: LocalRegistry, request_for: RequestFor, lines: list[str]
):
    """The reference that comes back is what the registry has under the tag, with the labels that were asked for."""
    request = request_for("COPY app.py /app.py", **{"app.py": "print(1)"})
    image = engine.build(request, lines.append)
    registry, name = OciRegistry(server.url, server.host), request.target.removeprefix(f"{server.host}/")
    assert image == f"{request.target.rpartition(':')[0]}@{registry.digest(name)}"
    assert registry.labels(name) == {"who": "base", "org.opencontainers.image.revision": "abc"}


def test_the_base_is_pulled_by_digest_when_it_is_not_there(
    engine: DockerEngine, client: docker.DockerClient, request_for: RequestFor, base_image: str, lines: list[str]
):
    """A worker with an empty engine builds as well, and the next build pulls nothing."""
    for image in client.api.images():
        if base_image in (image["RepoDigests"] or []):
            client.images.remove(image["Id"], force=True)
    request = request_for("COPY app.py /app.py", **{"app.py": secrets.token_hex()})
    engine.build(request, lines.append)
    assert f"pulling {base_image}" in lines
    lines.clear()
    engine.build(request, lines.append)
    assert not [line for line in lines if "pulling" in line]


def test_the_log_can_be_followed(engine: DockerEngine, request_for: RequestFor, lines: list[str]):
    """Steps and output as plain lines: no colours, no progress bars, no ids of intermediate containers."""
    mark = secrets.token_hex(4)
    engine.build(request_for(f"RUN printf '\\033[31m{mark}\\033[0m\\n' | tee /mark"), lines.append)
    assert mark in lines
    assert any(line.startswith("Step 3/") for line in lines)
    assert any(line.endswith(": pushed") for line in lines)
    assert not [line for line in lines if "\x1b" in line or "[=" in line or "--->" in line or not line.strip()]


def test_a_build_has_no_network(engine: DockerEngine, request_for: RequestFor, lines: list[str]):
    """There is nothing but loopback: what is not in the context does not get into the image."""
    engine.build(request_for(f"RUN echo {secrets.token_hex(4)} && echo interfaces $(ls /sys/class/net)"), lines.append)
    assert "interfaces lo" in lines


def test_dockerignore_is_obeyed(engine: DockerEngine, request_for: RequestFor, lines: list[str]):
    """What the app leaves out never reaches the engine."""
    engine.build(request_for("COPY . /app\nRUN ls -a /app", **{".dockerignore": "*.env\n", "x.env": "", "y.py": ""}), lines.append)
    assert "y.py" in lines
    assert "x.env" not in lines


def test_a_failing_dockerfile_is_rejected_with_its_last_lines(
    engine: DockerEngine, client: docker.DockerClient, request_for: RequestFor, lines: list[str]
):
    """The message has what the command said, and no container is left behind."""
    mark = secrets.token_hex(4)
    with pytest.raises(Rejected, match=r"non-zero code: 3") as error:
        engine.build(request_for(f"RUN echo trouble {mark}; exit 3"), lines.append)
    assert f"\ntrouble {mark}\n" in error.value.message
    assert not [container for container in client.containers.list(all=True, ignore_removed=True) if mark in str(container.attrs)]


@pytest.mark.parametrize(("dockerfile", "message"), [("COPY nothing /", "COPY failed"), ("FORM x", "unknown instruction")])
def test_a_dockerfile_that_cannot_work_is_rejected(
    engine: DockerEngine, request_for: RequestFor, lines: list[str], dockerfile: str, message: str
):
    """Missing files and bad instructions are the app's to correct."""
    with pytest.raises(Rejected, match=message):
        engine.build(request_for(dockerfile), lines.append)


def test_a_registry_out_of_reach_is_broken(engine: DockerEngine, request_for: RequestFor, lines: list[str]):
    """A push that fails says so, though the engine's stream ends like any other."""
    request = replace(request_for("ENV A=1"), target=f"localhost:{free_port()}/code:tree-1")
    with pytest.raises(Broken, match="cannot be pushed"):
        engine.build(request, lines.append)


def test_a_base_that_is_nowhere_is_broken(engine: DockerEngine, request_for: RequestFor, base_image: str, lines: list[str]):
    """The message names the image that could not be pulled."""
    missing = f"{base_image.partition('@')[0]}@sha256:{'0' * 64}"
    with pytest.raises(Broken, match=f"{missing}"):
        engine.build(replace(request_for("ENV A=1"), base_image=missing), lines.append)


def test_an_engine_out_of_reach_is_broken(request_for: RequestFor, lines: list[str]):
    """The message says what was to be done, and to look at the engine."""
    away = docker.DockerClient(base_url="unix:///nonexistent/docker.sock", version="1.41")
    with pytest.raises(Broken, match="did not answer") as error:
        DockerEngine(away).build(request_for("ENV A=1"), lines.append)
    assert error.value.advice


def test_a_registry_with_a_login_gets_it(client: docker.DockerClient, request_for: RequestFor, tmp_path: Path, lines: list[str]):
    """Credentials are used for the registry that they are for; without them the push is refused."""
    with local_registry(tmp_path, htpasswd_auth(tmp_path)) as guarded:
        request = replace(request_for("ENV A=1"), target=f"{guarded.host}/code:tree-1")
        with pytest.raises(Broken, match=r"cannot be pushed: .*basic auth"):
            DockerEngine(client).build(request, lines.append)
        logins = {guarded.host: {"username": USER, "password": PASSWORD}}
        image = DockerEngine(client, logins).build(request, lines.append)
        assert image.startswith(f"{guarded.host}/code@sha256:")
        client.images.remove(request.target, force=True)
    assert PASSWORD not in "\n".join(lines)


def test_the_same_context_gives_the_same_image_again(engine: DockerEngine, request_for: RequestFor, lines: list[str]):
    """Checked out anew, with other times and modes, a code version is what it was."""
    request = request_for("COPY app.py /app.py", **{"app.py": "print(2)"})
    first = engine.build(request, lines.append)
    (request.context / "app.py").unlink()
    assert engine.build(request_for("COPY app.py /app.py", **{"app.py": "print(2)"}), lines.append) == first


def test_builds_at_the_same_time_do_not_mix(engine: DockerEngine, server: LocalRegistry, request_for: RequestFor, tmp_path: Path):
    """Each build returns its own image."""
    template = request_for("COPY app.py /app.py\nARG WHO")

    def build(number: int) -> tuple[str, str]:
        context = tmp_path / f"context-{number}"
        context.mkdir()
        (context / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY n /n\n")
        (context / "n").write_text(str(number))
        target = f"{template.target}-{number}"
        request = replace(template, context=context, target=target, labels={"number": str(number)})
        image = engine.build(request, lambda line: None).removeprefix(f"{server.host}/")
        return OciRegistry(server.url, server.host).labels(image)["number"], str(number)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(build, range(3)))
    assert all(found == wanted for found, wanted in results)


KILLED = """
import sys
from pathlib import Path
import docker
from nocturne.adapters.docker_engine import DockerEngine
from nocturne.ports.image_builder import CodeImageRequest
context, base, target = sys.argv[1:]
DockerEngine(docker.from_env()).build(CodeImageRequest(Path(context), base, target, {}), lambda line: print(line, flush=True))
"""


def test_a_build_whose_task_is_killed_leaves_no_container(
    engine: DockerEngine, client: docker.DockerClient, request_for: RequestFor, lines: list[str]
):
    """The engine notices that nobody listens any more, stops the step and removes its container."""
    mark = secrets.token_hex(4)
    request = request_for(f"RUN echo {mark} && sleep 300")
    arguments = [str(request.context), request.base_image, request.target]
    environment = {"PYTHONPATH": str(Path(__file__).parents[3] / "plugins"), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([sys.executable, "-c", KILLED, *arguments], stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert any(line.strip() == mark.encode() for line in child.stdout)
        child.kill()
    assert eventually(
        lambda: not [item for item in client.containers.list(all=True, ignore_removed=True) if mark in str(item.attrs)], 60
    )
