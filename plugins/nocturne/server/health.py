"""`health.py [SERVICE]`: exits with 0 when the service of this container is well, else with 1 and a sentence why not.

It runs every half minute in each container of a small server, where `airflow jobs check` would cost seconds of CPU each time: it
asks what answers already, with the standard library alone. Without SERVICE it asks for what the container was started with.

| service | who is asked |
| --- | --- |
| api-server | itself, whether it reaches Airflow's database and answers tasks |
| scheduler | its own health server, which knows its heartbeat |
| triggerer, dag-processor | the API server at NOCTURNE_API_SERVER, which knows their heartbeats; they have no health server |
| worker | itself, through the broker, as `celery inspect ping` does |

Formats: https://airflow.apache.org/docs/apache-airflow/3.3.2/administration-and-deployment/logging-monitoring/check-health.html
"""

import http.client
import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Below the ten seconds that a health check usually gets.
TIMEOUT_SECONDS = 5.0
_MONITOR = "/api/v2/monitor/health"
_BROKER = "AIRFLOW__CELERY__BROKER_URL"
SERVICES = ("api-server", "scheduler", "triggerer", "dag-processor", "worker")


class Unwell(Exception):
    """Why the service is not well, in a sentence."""


def check(service: str, environment: Mapping[str, str]) -> None:
    """Ask how the service is. Raises Unwell."""
    match service:
        case "api-server":
            address = f"http://127.0.0.1:{environment.get('AIRFLOW__API__PORT') or 8080}"
            _heard_of("metadatabase", _monitor(address))
            # What tasks ask is put together at the first such question, for seconds in which nobody gets an answer: now, not then.
            _get(address, "/execution/health")
        case "scheduler":
            port = environment.get("AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT") or 8974
            _get(f"http://127.0.0.1:{port}", "/health")
        case "triggerer" | "dag-processor":
            _heard_of(service.replace("-", "_"), _monitor(environment.get("NOCTURNE_API_SERVER") or "http://api-server:8080"))
        case "worker":
            _ping(_broker(environment), f"celery@{socket.gethostname()}")
        case _:
            raise Unwell(f"found service {service!r}, expected one of {', '.join(SERVICES)}")


def running(commands: Sequence[bytes]) -> str:
    """Which service a process with this command line is; empty for none, such as a command that comes to an end by itself."""
    # Airflow renames its processes, as in `airflow api_server -- host:0.0.0.0 port:8080`.
    words = [Path(word).name for argument in commands for word in argument.decode(errors="replace").replace("_", "-").split()]
    return next((service for service in SERVICES if "airflow" in words and service in words), "")


def _heard_of(component: str, health: Mapping[str, Any]) -> None:
    found = health.get(component)
    if not isinstance(found, dict) or found.get("status") != "healthy":
        raise Unwell(f"the API server says of {component}: {json.dumps(found)}, expected the status 'healthy'")


def _monitor(address: str) -> Mapping[str, Any]:
    content = _get(address, _MONITOR)
    try:
        health = json.loads(content)
    except ValueError:
        health = None
    if not isinstance(health, dict):
        raise Unwell(f"{address}{_MONITOR} answered with {content[:200]!r}, expected a JSON object")
    return health


def _get(address: str, path: str) -> bytes:
    # Not urllib: what a proxy for the outside says of this container is of no use.
    url = urlsplit(address)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"{url.path.rstrip('/')}{path}")
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unwell(f"{address}{path} does not answer: {error or type(error).__name__}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise Unwell(f"{address}{path} answered with {answer.status} {answer.reason}, expected 200")
    return content


def _broker(environment: Mapping[str, str]) -> str:
    """The broker's URL from where Airflow takes it."""
    if url := environment.get(_BROKER):
        return url
    command = environment.get(f"{_BROKER}_CMD")
    if not command:
        raise Unwell(f"found neither {_BROKER} nor {_BROKER}_CMD, expected the broker's URL or a command that prints it")
    try:
        # As Airflow itself runs it.
        done = subprocess.run(shlex.split(command), check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unwell(f"{_BROKER}_CMD fails: {error}") from error
    return done.stdout.strip()


def _ping(broker: str, worker: str) -> None:
    # Half a second of CPU: the library knows how a worker is asked over Redis, and only workers pay for it.
    from celery import Celery  # type: ignore[import-untyped]

    app = Celery(broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    try:
        answers = app.control.inspect([worker], timeout=TIMEOUT_SECONDS).ping()
    except Exception as error:
        # The error of whichever broker it is; the URL has a password, and nobody may read it in `docker inspect`.
        raise Unwell(f"the broker does not answer: {str(error).replace(broker, 'its URL')}") from error
    if not answers:
        raise Unwell(f"{worker} does not answer through the broker within {TIMEOUT_SECONDS:g} s")


def main(arguments: Sequence[str]) -> int:
    """The exit code; what is not well goes to standard output, where `docker inspect` shows it."""
    service = arguments[0] if arguments else running(Path("/proc/1/cmdline").read_bytes().split(b"\0"))
    if not service:
        return 0
    try:
        check(service, os.environ)
    except Unwell as unwell:
        print(f"{service}: {unwell}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
