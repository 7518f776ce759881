import docker
import pytest
import requests
import urllib3
from docker.errors import APIError

from nocturne.adapters.docker_engine.failures import build_failure, build_refused, engine_failures
from nocturne.domain.errors import Broken, Rejected


def item(message: str, code: int | None = None) -> dict:
    return {"error": message, "errorDetail": {"message": message} | ({"code": code} if code else {})}


@pytest.mark.parametrize(
    "found",
    [
        item("The command '/bin/sh -c false' returned a non-zero code: 1", 1),
        item("COPY failed: file not found in build context or excluded by .dockerignore: stat nothing: file does not exist"),
        # What a command itself says of a network is the Dockerfile's fault: a build has none.
        item("The command 'pip install x' returned a non-zero code: 1 (connection refused)", 1),
    ],
)
def test_what_the_dockerfile_did_is_rejected_with_the_last_lines(found: dict):
    """A command that fails or a file that is missing would fail again."""
    error = build_failure(found, ["Step 3/4 : RUN false", "oh no"])
    assert isinstance(error, Rejected)
    assert "oh no" in error.message
    assert found["error"] in error.message


@pytest.mark.parametrize(
    ("found", "tail"),
    [
        (item("Get http://localhost:5000/v2/: dial tcp 127.0.0.1:5000: connect: connection refused"), []),
        (item("write /var/lib/docker/tmp/x: no space left on device"), []),
        (item("The command 'pip install' returned a non-zero code: 137", 137), []),
        (item("The command 'pip install' returned a non-zero code: 1", 1), ["OSError: [Errno 28] No space left on device"]),
    ],
)
def test_what_the_machine_did_is_broken(found: dict, tail: list[str]):
    """A registry that is down, a full disk or a kill says nothing about the Dockerfile."""
    assert isinstance(build_failure(found, tail), Broken)


@pytest.mark.parametrize(("status", "kind"), [(400, Rejected), (500, Broken)])
def test_a_dockerfile_that_cannot_be_parsed_is_rejected(status: int, kind: type[Exception]):
    """The engine answers 400 to it, before the build begins."""
    response = requests.Response()
    response.status_code = status
    assert isinstance(build_refused(APIError("no", response, "unknown instruction: FORM")), kind)


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("refused"),
        urllib3.exceptions.ReadTimeoutError(None, "/build", "timed out"),  # type: ignore[arg-type]
        docker.errors.DockerException("no socket"),
    ],
)
def test_every_way_in_which_an_engine_does_not_answer_is_broken(error: Exception):
    """docker-py lets three libraries' exceptions through; across the port there is one."""
    with pytest.raises(Broken, match="did not answer while it was to pull x"), engine_failures("pull x"):
        raise error
