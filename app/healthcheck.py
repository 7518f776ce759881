"""`python -m app.healthcheck`: exits with 0 when this container's app is ready, else with 1.

It runs every few seconds, so it imports next to nothing and speaks HTTP by hand.
"""

import os
import socket
import sys
from collections.abc import Mapping

TIMEOUT_SECONDS = 7.0
"""Longer than requests may wait (QUEUE_SECONDS), as this one waits with them; a little less than its callers allow."""


def is_ready(host: str, port: int, timeout: float = TIMEOUT_SECONDS) -> bool:
    """Ask `/readyz`, which may take so many seconds."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            with connection.makefile("rb") as answer:
                return answer.readline().split()[1:2] == [b"200"]
    except OSError:
        return False


def host_to_ask(host: str) -> str:
    """Return where an app answers that listens at `host`; empty as in the settings."""
    # Who listens at `::` is there for IPv4, too, and the container may have no IPv6.
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host


def patience(environment: Mapping[str, str]) -> float:
    """Return how long to wait for the answer, in seconds."""
    return max(TIMEOUT_SECONDS, float(environment.get("QUEUE_SECONDS") or 0) + 2)


if __name__ == "__main__":
    told = os.environ
    sys.exit(not is_ready(host_to_ask(told.get("HOST", "")), int(told.get("PORT") or 8080), patience(told)))
