"""Docker's failures in our own terms: what the Dockerfile did wrong, and what the machinery did."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from docker.errors import APIError, DockerException
from urllib3.exceptions import HTTPError

from nocturne.domain.errors import Broken, NocturneError, Rejected

# What the engine says when it could not get at something, or was stopped; the rest is about the Dockerfile.
_MACHINERY = re.compile(
    r"no space left on device|connection refused|connection reset|no such host|i/o timeout|network is unreachable|tls handshake"
    r"|context (canceled|deadline exceeded)|unexpected eof|server misbehaving|toomanyrequests"
    r"|cannot connect|received unexpected http",
    re.IGNORECASE,
)
# docker-py reads its streams past requests, so that a connection which ends there is urllib3's to report.
ENGINE_ERRORS = (DockerException, requests.RequestException, HTTPError)
_KILLED = 137  # 128 + SIGKILL: out of memory, or somebody ended it


@contextmanager
def engine_failures(doing: str) -> Iterator[None]:
    """Raise Broken for every failure of the engine while `doing` something."""
    try:
        yield
    except ENGINE_ERRORS as error:
        raise unreachable(doing, error) from error


def unreachable(doing: str, error: Exception) -> Broken:
    """The engine did not do what it was asked for, or did not answer."""
    if isinstance(error, APIError):
        return Broken(f"Docker Engine failed to {doing}: {error.explanation or error}")
    return Broken(
        f"Docker Engine did not answer while it was to {doing}: {error}",
        advice="check that it runs and that its connection is right",
    )


def build_failure(item: Mapping[str, Any], tail: Sequence[str]) -> NocturneError:
    """The failure that a build's stream told of. item: the one with `error`. tail: the last lines before it."""
    detail = item.get("errorDetail") or {}
    message = str(item["error"]).strip()
    exit_code = detail.get("code") or 0
    told = "\n".join([*tail, message])
    if exit_code == _KILLED or (_MACHINERY.search(message) if not exit_code else "No space left on device" in told):
        return Broken(f"the image could not be built: {message}\n{told}", advice="check the engine's memory, disk and registry")
    return Rejected(f"the Dockerfile failed: {message}\n{told}", advice="run `docker build` in the app's folder to see it again")


def build_refused(error: APIError) -> NocturneError:
    """The failure of a build that never began: 400 is for a Dockerfile that cannot be parsed."""
    if error.status_code == requests.codes.bad_request:
        return Rejected(f"the Dockerfile is refused: {error.explanation}", advice="correct the app's Dockerfile")
    return unreachable("build the image", error)
